package tapedeck.tornado.render;

import java.lang.classfile.Label;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DeviceException;

/** Chooses the form of a kernel for a device and writes it as a Java class. */
public final class Renderer {
  // One name for all, so that equal kernels have equal sources, which drivers keep compiled.
  private static final String NAME = "tapedeckKernel";

  private final Target target;

  /** A renderer for one device. */
  public Renderer(Target target) {
    this.target = target;
  }

  /**
   * A kernel as a Java class.
   *
   * @throws DeviceException if the kernel is beyond what TornadoVM's tasks can hold
   */
  public JavaKernel render(Kernel kernel) {
    checkSize(kernel);
    String name = NAME;
    Product product = Product.of(kernel);
    if (product != null && !target.gpu()) {
      return CpuProduct.render(name, kernel, product, target);
    }
    if (product != null && target.maxGroup() >= 16) {
      return GpuProduct.render(name, kernel, product, target);
    }
    JavaKernel special =
        target.gpu()
            ? GpuGroups.render(name, kernel, target)
            : CpuColumns.render(name, kernel, target);
    if (special == null && !target.gpu()) {
      special = CpuBlocks.render(name, kernel, target);
    }
    return special != null ? special : grid(name, kernel);
  }

  /** TornadoVM's arrays are addressed by ints. */
  private static void checkSize(Kernel k) {
    long most = k.points();
    for (Kernel.Param p : k.params()) {
      most = Math.max(most, p.elements());
    }
    for (Phase p : k.phases()) {
      most = Math.max(most, ExprGen.points(p));
    }
    if (most > Integer.MAX_VALUE - (1 << 24)) {
      throw new DeviceException(
          "[tornado] " + most + " elements in one kernel; TornadoVM's arrays end at 2^31");
    }
  }

  /** Every work-item runs one grid point, without barriers. */
  private JavaKernel grid(String name, Kernel kernel) {
    long points = kernel.points();
    long local = target.group(points);
    long global = (points + local - 1) / local * local;
    return KernelClass.kernel(
        name,
        kernel,
        target,
        global,
        local,
        "grid",
        g -> {
          int at = g.workItem("globalIdx");
          Label end = g.code.newLabel();
          if (global != points) {
            g.code.iload(at).loadConstant((int) points).if_icmpge(end);
          }
          g.decode(at, kernel.grid());
          g.phases(kernel.phases());
          g.code.labelBinding(end);
        });
  }
}
