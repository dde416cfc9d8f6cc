package tapedeck.peers;

import java.util.Arrays;
import java.util.List;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.blast.CLBlast;
import org.jocl.blast.CLBlastLayout;
import org.jocl.blast.CLBlastTranspose;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_event;
import org.jocl.cl_mem;
import org.jocl.cl_platform_id;

/** Matrix products of CLBlast on the first OpenCL device. */
final class ClBlast implements Peer {
  private final TensorFile data;
  private final cl_context context;
  private final cl_command_queue queue;
  private final String device;

  ClBlast(TensorFile data) {
    this.data = data;
    CL.setExceptionsEnabled(true);
    CLBlast.setExceptionsEnabled(true);
    cl_platform_id[] platforms = new cl_platform_id[1];
    CL.clGetPlatformIDs(1, platforms, null);
    cl_device_id[] devices = new cl_device_id[1];
    CL.clGetDeviceIDs(platforms[0], CL.CL_DEVICE_TYPE_ALL, 1, devices, null);
    cl_context_properties properties = new cl_context_properties();
    properties.addProperty(CL.CL_CONTEXT_PLATFORM, platforms[0]);
    context = CL.clCreateContext(properties, 1, devices, null, null, null);
    queue = CL.clCreateCommandQueueWithProperties(context, devices[0], null, null);
    byte[] name = new byte[256];
    long[] length = new long[1];
    CL.clGetDeviceInfo(devices[0], CL.CL_DEVICE_NAME, name.length, Pointer.to(name), length);
    device =
        new String(
                name, 0, (int) Math.max(0, length[0] - 1), java.nio.charset.StandardCharsets.UTF_8)
            .strip();
  }

  @Override
  public String version() {
    return "CLBlast 1.5.2 on " + device;
  }

  private cl_mem buffer(Pointer values, long bytes) {
    return CL.clCreateBuffer(
        context, CL.CL_MEM_READ_WRITE | CL.CL_MEM_COPY_HOST_PTR, bytes, values, null);
  }

  @Override
  public Work work(String name) {
    if (!name.startsWith("matmul/")) {
      throw new UnsupportedOperationException("CLBlast has matrix products only");
    }
    Product p = Product.of(name, data);
    int left =
        p.transposedLeft()
            ? CLBlastTranspose.CLBlastTransposeYes
            : CLBlastTranspose.CLBlastTransposeNo;
    int right =
        p.transposedRight()
            ? CLBlastTranspose.CLBlastTransposeYes
            : CLBlastTranspose.CLBlastTransposeNo;
    int size = p.float64() ? Sizeof.cl_double : Sizeof.cl_float;
    cl_mem a = operand(name + "/a", p.float64(), (long) p.m() * p.k());
    cl_mem b = operand(name + "/b", p.float64(), (long) p.k() * p.n());
    int count = p.m() * p.n();
    cl_mem c = CL.clCreateBuffer(context, CL.CL_MEM_READ_WRITE, (long) count * size, null, null);
    return new Work() {
      @Override
      public void run() {
        cl_event done = new cl_event();
        if (p.float64()) {
          CLBlast.CLBlastDgemm(
              CLBlastLayout.CLBlastLayoutRowMajor,
              left,
              right,
              p.m(),
              p.n(),
              p.k(),
              1.0,
              a,
              0,
              p.lda(),
              b,
              0,
              p.ldb(),
              0.0,
              c,
              0,
              p.n(),
              queue,
              done);
        } else {
          CLBlast.CLBlastSgemm(
              CLBlastLayout.CLBlastLayoutRowMajor,
              left,
              right,
              p.m(),
              p.n(),
              p.k(),
              1f,
              a,
              0,
              p.lda(),
              b,
              0,
              p.ldb(),
              0f,
              c,
              0,
              p.n(),
              queue,
              done);
        }
        CL.clWaitForEvents(1, new cl_event[] {done});
        CL.clReleaseEvent(done);
      }

      @Override
      public double[] result() {
        run();
        double[] d = new double[count];
        if (p.float64()) {
          CL.clEnqueueReadBuffer(
              queue, c, true, 0, (long) count * size, Pointer.to(d), 0, null, null);
        } else {
          float[] f = new float[count];
          CL.clEnqueueReadBuffer(
              queue, c, true, 0, (long) count * size, Pointer.to(f), 0, null, null);
          Arrays.setAll(d, i -> f[i]);
        }
        return Thin.join(List.of(d));
      }
    };
  }

  private cl_mem operand(String name, boolean float64, long elements) {
    return float64
        ? buffer(Pointer.to(data.doubles(name)), elements * Sizeof.cl_double)
        : buffer(Pointer.to(data.floats(name)), elements * Sizeof.cl_float);
  }
}
