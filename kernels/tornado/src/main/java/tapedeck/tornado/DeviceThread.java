package tapedeck.tornado;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import tapedeck.ad.type.DeviceException;

/**
 * The thread that calls TornadoVM for a device. TornadoVM gives every thread queues of its own, so
 * work of several threads would not be in order, and none could wait for another's.
 */
final class DeviceThread {
  private final ExecutorService worker;
  private volatile Thread thread;

  DeviceThread(String name) {
    worker =
        Executors.newSingleThreadExecutor(
            body -> {
              Thread t = new Thread(body, "tapedeck " + name);
              t.setDaemon(true);
              thread = t;
              return t;
            });
  }

  /** Runs a body on the thread and waits for it; what it throws is thrown here. */
  <T> T call(Supplier<T> body) {
    if (Thread.currentThread() == thread) {
      return body.get();
    }
    boolean interrupted = false;
    if (worker.isShutdown()) {
      return body.get();
    }
    var done = worker.submit(body::get);
    try {
      while (true) {
        try {
          return done.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          switch (e.getCause()) {
            case RuntimeException r -> throw r;
            case Error r -> throw r;
            case null, default -> throw new DeviceException("[tornado] the device's thread", e);
          }
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  void run(Runnable body) {
    call(
        () -> {
          body.run();
          return true;
        });
  }

  void close() {
    worker.shutdown();
  }
}
