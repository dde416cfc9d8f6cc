package tapedeck.opencl;

import static org.jocl.CL.clBuildProgram;
import static org.jocl.CL.clCreateContext;
import static org.jocl.CL.clCreateProgramWithSource;
import static org.jocl.CL.clGetDeviceIDs;
import static org.jocl.CL.clGetPlatformIDs;
import static org.jocl.CL.clReleaseContext;
import static org.jocl.CL.clReleaseProgram;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.DoubleAdder;
import org.jocl.CL;
import org.jocl.cl_context;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;
import org.jocl.cl_program;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * A driver that compiles with LLVM does not disturb the JVM's signals, by which it stops its
 * threads. Where the launcher has not preloaded libjsig, LLVM deletes its own files when such a
 * signal arrives while it compiles, or the process ends.
 */
class SignalsTest {
  private static final int PROGRAMS = 8;
  private static final int THREADS = 4;

  private final DoubleAdder results = new DoubleAdder();

  private void compute(AtomicBoolean done) {
    double[] x = new double[1000];
    while (!done.get()) {
      double sum = 0;
      for (int i = 0; i < x.length; i++) {
        sum += x[i] * i;
      }
      results.add(sum);
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // other threads are to be stopped often, no more
  private static void stopThreads(AtomicBoolean done) {
    while (!done.get()) {
      System.gc();
      Thread.yield();
    }
  }

  @Test
  void programsAreBuiltWhileTheJvmStopsItsThreads() throws InterruptedException {
    String preloaded = System.getenv().getOrDefault("LD_PRELOAD", "");
    Assumptions.assumeTrue(
        preloaded.contains("libjsig"), "not tested: libjsig is not preloaded (./tapedeck does it)");
    TestDevices.open("cpu").close();
    AtomicBoolean done = new AtomicBoolean();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      threads.add(Thread.ofPlatform().daemon().start(() -> compute(done)));
    }
    threads.add(Thread.ofPlatform().daemon().start(() -> stopThreads(done)));
    try {
      for (int i = 0; i < PROGRAMS; i++) {
        assertEquals(CL.CL_SUCCESS, build("x[get_global_id(0)] += " + System.nanoTime() + ";"));
      }
    } finally {
      done.set(true);
      for (Thread t : threads) {
        t.join();
      }
    }
    assertEquals(0, results.sum());
  }

  private static int build(String statement) {
    cl_platform_id[] platform = new cl_platform_id[1];
    clGetPlatformIDs(1, platform, null);
    cl_device_id[] device = new cl_device_id[1];
    clGetDeviceIDs(platform[0], CL.CL_DEVICE_TYPE_ALL, 1, device, null);
    cl_context context = clCreateContext(null, 1, device, null, null, null);
    String source = "__kernel void k(__global long *x) { " + statement + " }";
    cl_program program = clCreateProgramWithSource(context, 1, new String[] {source}, null, null);
    try {
      return clBuildProgram(program, 0, null, "", null, null);
    } finally {
      clReleaseProgram(program);
      clReleaseContext(context);
    }
  }
}
