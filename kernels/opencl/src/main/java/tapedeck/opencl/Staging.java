package tapedeck.opencl;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_event;
import org.jocl.cl_mem;

/**
 * Page-locked host memory through which transfers go piece by piece: while the device moves one
 * piece, the host copies the next. An upload ends once everything is in this memory or beyond, so
 * the host does not wait for kernels that were enqueued before it.
 */
final class Staging implements AutoCloseable {
  /** Bytes of a piece. */
  static final long PIECE = 4L << 20;

  private static final int PIECES = 2;

  private final cl_command_queue queue;
  private final Piece[] pieces = new Piece[PIECES];
  private int next;

  /** Mapped memory and the transfer from or to it that may still run. */
  private static final class Piece {
    final cl_mem mem;
    final ByteBuffer buffer;
    final MemorySegment segment;
    cl_event running;

    Piece(cl_mem mem, ByteBuffer buffer) {
      this.mem = mem;
      this.buffer = buffer;
      this.segment = MemorySegment.ofBuffer(buffer);
    }

    void await() {
      if (running != null) {
        cl_event e = running;
        running = null;
        int status = CL.clWaitForEvents(1, new cl_event[] {e});
        Cl.released(CL.clReleaseEvent(e));
        Cl.check(status, "clWaitForEvents");
      }
    }
  }

  Staging(cl_context context, cl_command_queue queue) {
    this.queue = queue;
    boolean done = false;
    try {
      for (int i = 0; i < PIECES; i++) {
        pieces[i] = map(context, queue);
      }
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  private static Piece map(cl_context context, cl_command_queue queue) {
    int[] status = new int[1];
    long flags = CL.CL_MEM_READ_WRITE | CL.CL_MEM_ALLOC_HOST_PTR;
    cl_mem mem = CL.clCreateBuffer(context, flags, PIECE, null, status);
    Cl.check(status[0], "clCreateBuffer of page-locked memory");
    long access = CL.CL_MAP_READ | CL.CL_MAP_WRITE;
    ByteBuffer buffer =
        CL.clEnqueueMapBuffer(queue, mem, true, access, 0, PIECE, 0, null, null, status);
    if (status[0] != CL.CL_SUCCESS) {
      Cl.released(CL.clReleaseMemObject(mem));
      Cl.check(status[0], "clEnqueueMapBuffer of page-locked memory");
    }
    return new Piece(mem, buffer);
  }

  /** Copies host memory to the start of a buffer. The host memory may be changed afterwards. */
  synchronized void upload(cl_mem to, MemorySegment from) {
    long size = from.byteSize();
    for (long at = 0; at < size; at += PIECE) {
      long n = Math.min(PIECE, size - at);
      Piece p = take();
      MemorySegment.copy(from, at, p.segment, 0, n);
      cl_event e = new cl_event();
      Pointer host = Pointer.toBuffer(p.buffer);
      Cl.check(
          CL.clEnqueueWriteBuffer(queue, to, false, at, n, host, 0, null, e),
          "clEnqueueWriteBuffer of " + size + " bytes");
      p.running = e;
      Cl.check(CL.clFlush(queue), "clFlush");
    }
  }

  /** Copies the start of a buffer to host memory, once all earlier work is done. */
  synchronized void download(cl_mem from, MemorySegment to) {
    long size = to.byteSize();
    Piece before = null;
    for (long at = 0; at < size; at += PIECE) {
      Piece p = take();
      cl_event e = new cl_event();
      Pointer host = Pointer.toBuffer(p.buffer);
      long n = Math.min(PIECE, size - at);
      Cl.check(
          CL.clEnqueueReadBuffer(queue, from, false, at, n, host, 0, null, e),
          "clEnqueueReadBuffer of " + size + " bytes");
      p.running = e;
      Cl.check(CL.clFlush(queue), "clFlush");
      if (before != null) {
        before.await();
        MemorySegment.copy(before.segment, 0, to, at - PIECE, PIECE);
      }
      before = p;
    }
    if (before != null) {
      before.await();
      long last = (size - 1) / PIECE * PIECE;
      MemorySegment.copy(before.segment, 0, to, last, size - last);
    }
  }

  /** The piece that has been idle longest. */
  private Piece take() {
    Piece p = pieces[next];
    next = (next + 1) % PIECES;
    p.await();
    return p;
  }

  @Override
  public synchronized void close() {
    for (Piece p : pieces) {
      if (p != null) {
        p.await();
        Cl.released(CL.clEnqueueUnmapMemObject(queue, p.mem, p.buffer, 0, null, null));
        Cl.released(CL.clReleaseMemObject(p.mem));
      }
    }
  }
}
