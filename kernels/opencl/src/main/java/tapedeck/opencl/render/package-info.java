/**
 * Kernel IR to OpenCL C. Input: a {@link tapedeck.ad.kir.Kernel} and a {@link
 * tapedeck.opencl.render.Target}; output: a {@link tapedeck.opencl.render.Rendered} kernel with its
 * launch sizes. Nothing here calls OpenCL, so the text can be inspected and tested without a
 * device. Only OpenCL C 1.2 without vendor extensions is written.
 */
package tapedeck.opencl.render;
