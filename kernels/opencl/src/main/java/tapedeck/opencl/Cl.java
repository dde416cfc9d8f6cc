package tapedeck.opencl;

import java.nio.charset.StandardCharsets;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.OutOfDeviceMemoryException;

/** Status checks and information queries over JOCL, whose own exceptions stay off. */
final class Cl {
  /** No platform is registered with the loader ({@code CL_PLATFORM_NOT_FOUND_KHR}). */
  static final int PLATFORM_NOT_FOUND = -1001;

  private Cl() {}

  static String name(int status) {
    return status == PLATFORM_NOT_FOUND
        ? "CL_PLATFORM_NOT_FOUND_KHR"
        : CL.stringFor_errorCode(status);
  }

  /**
   * Turns an error status into an exception.
   *
   * @param what the call and what it was for, such as {@code clBuildProgram of matmul+add}
   */
  static void check(int status, String what) {
    if (status == CL.CL_MEM_OBJECT_ALLOCATION_FAILURE) {
      throw new OutOfDeviceMemoryException("[opencl] " + what + " failed: " + name(status));
    }
    if (status != CL.CL_SUCCESS) {
      throw new DeviceException("[opencl] " + what + " failed: " + name(status));
    }
  }

  /** For releases on paths that cannot fail usefully: an error there is a bug of this backend. */
  static void released(int status) {
    assert status == CL.CL_SUCCESS : name(status);
  }

  static String text(cl_platform_id p, int param) {
    long[] size = new long[1];
    check(CL.clGetPlatformInfo(p, param, 0, null, size), "clGetPlatformInfo");
    byte[] b = new byte[(int) size[0]];
    check(CL.clGetPlatformInfo(p, param, b.length, Pointer.to(b), null), "clGetPlatformInfo");
    return string(b);
  }

  static String text(cl_device_id d, int param) {
    long[] size = new long[1];
    check(CL.clGetDeviceInfo(d, param, 0, null, size), "clGetDeviceInfo");
    byte[] b = new byte[(int) size[0]];
    check(CL.clGetDeviceInfo(d, param, b.length, Pointer.to(b), null), "clGetDeviceInfo");
    return string(b);
  }

  /** An information value of 4 or 8 bytes. */
  static long number(cl_device_id d, int param) {
    long[] size = new long[1];
    check(CL.clGetDeviceInfo(d, param, 0, null, size), "clGetDeviceInfo");
    if (size[0] == 4) {
      int[] v = new int[1];
      check(CL.clGetDeviceInfo(d, param, 4, Pointer.to(v), null), "clGetDeviceInfo");
      return Integer.toUnsignedLong(v[0]);
    }
    long[] v = new long[1];
    check(CL.clGetDeviceInfo(d, param, 8, Pointer.to(v), null), "clGetDeviceInfo");
    return v[0];
  }

  /** A value that older devices do not know: {@code otherwise} where the query is refused. */
  static long numberOr(cl_device_id d, int param, long otherwise) {
    long[] size = new long[1];
    return CL.clGetDeviceInfo(d, param, 0, null, size) == CL.CL_SUCCESS && size[0] > 0
        ? number(d, param)
        : otherwise;
  }

  static String string(byte[] b) {
    int n = b.length;
    while (n > 0 && b[n - 1] == 0) {
      n--;
    }
    return new String(b, 0, n, StandardCharsets.UTF_8).strip();
  }
}
