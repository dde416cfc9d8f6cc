/**
 * Traces Java functions over tensors, differentiates and vectorises them, and schedules them as
 * kernels for a backend, which it finds with {@link java.util.ServiceLoader}.
 */
module tapedeck.engine {
  requires jdk.jfr;
  requires static org.jspecify;

  exports tapedeck.ad;
  exports tapedeck.ad.type;
  exports tapedeck.ad.kir;
  exports tapedeck.ad.tensor;
  exports tapedeck.ad.tape;
  exports tapedeck.ad.transform;
  exports tapedeck.ad.schedule;
  exports tapedeck.ad.backend;
  exports tapedeck.ad.run;

  uses tapedeck.ad.backend.BackendProvider;
  uses tapedeck.ad.tape.TapeRunner;
  uses tapedeck.ad.tensor.Evaluator;

  provides tapedeck.ad.tape.TapeRunner with
      tapedeck.ad.run.Engine;
  provides tapedeck.ad.tensor.Evaluator with
      tapedeck.ad.run.Engine;
}
