package tapedeck.opencl;

import java.util.List;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.DeviceException;
import tapedeck.opencl.tuning.Hardware;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.Tuning;

/** A device whose kernel templates have parameters. Implemented by every device of this backend. */
public interface Tunable {

  /** {@return what its parameters are looked up by, and their limits} */
  Hardware hardware();

  /** {@return the parameters with which it writes kernels} */
  Tuning tuning();

  /**
   * Where the parameters of a template come from.
   *
   * @param template a template of this device's profile
   * @return the source that the database names
   */
  String source(Template template);

  /**
   * The kernels that a schedule would be compiled to, without compiling them.
   *
   * @param schedule what would be run
   * @param tuning parameters of the templates
   * @return a text for each kernel that is enqueued; equal texts stand for equal kernels with equal
   *     launch sizes
   */
  List<String> kernels(Schedule schedule, Tuning tuning);

  /**
   * Compiles a schedule with other parameters than those in force.
   *
   * @param schedule what is to be run
   * @param tuning parameters of the templates
   * @return the executable
   * @throws DTypeException if a kernel needs a type that the device lacks
   * @throws DeviceException if a kernel does not build or there is no memory for the arena
   */
  Executable compile(Schedule schedule, Tuning tuning);
}
