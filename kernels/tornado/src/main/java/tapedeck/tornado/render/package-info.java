/**
 * Kernel IR to JVM bytecode that TornadoVM compiles for a device. Input: a {@link
 * tapedeck.ad.kir.Kernel} and a {@link tapedeck.tornado.render.Target}; output: a {@link
 * tapedeck.tornado.render.JavaKernel}, a class file with its launch sizes. Nothing here starts
 * TornadoVM.
 */
package tapedeck.tornado.render;
