package tapedeck.tornado.render;

import java.util.List;

/**
 * A kernel as a Java class with its launch sizes.
 *
 * @param name name of the kernel method
 * @param classFile a class of the name of {@link GeneratedKernel} that extends {@link KernelTask}
 * @param params the kernel's parameters that are arguments of the method, after its context
 * @param global work-items
 * @param local work-items of a group
 * @param form how the work is spread over work-items, for people
 */
public record JavaKernel(
    String name, byte[] classFile, List<Integer> params, long global, long local, String form) {}
