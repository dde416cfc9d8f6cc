package tapedeck.cpu.selfcheck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tensor.Tensor;

/** Every operation has a row, and every row's derivative and batching rules hold. */
class OpSamplesTest {
  /** Methods that make or hold tensors and compute nothing, or that are the engine's own. */
  private static final Set<String> NOT_OPERATIONS =
      Set.of("of", "fromSegment", "concrete", "traced", "apply", "to");

  @Test
  void everyPrimitiveHasARow() {
    Set<String> missing = new TreeSet<>(OpSamples.primitives());
    OpSamples.all().forEach(s -> missing.remove(s.primitive()));
    assertEquals(Set.of(), missing, "primitives without a row in OpSamples");
  }

  @Test
  void everyRowAppliesThePrimitiveItIsFor() {
    for (OpSample s : OpSamples.all()) {
      if (!s.primitive().isEmpty()) {
        Set<String> used =
            s.variants().stream()
                .flatMap(v -> Tapes.of(v, s.dtypes().get(0)).tape().eqns().stream())
                .map(Eqn::primitive)
                .map(OpSamples::key)
                .collect(Collectors.toSet());
        assertTrue(
            used.contains(s.primitive()),
            s.name() + " is for " + s.primitive() + " and uses " + used);
      }
    }
  }

  @Test
  void everyTensorMethodHasARow() {
    Set<String> missing = new TreeSet<>();
    for (Class<?> c = Tensor.class; c != Object.class; c = c.getSuperclass()) {
      for (Method m : c.getDeclaredMethods()) {
        if (Modifier.isPublic(m.getModifiers())
            && m.getReturnType() == Tensor.class
            && !m.isSynthetic()) {
          missing.add(m.getName());
        }
      }
    }
    missing.removeAll(NOT_OPERATIONS);
    OpSamples.all().forEach(s -> s.methods().forEach(missing::remove));
    assertEquals(Set.of(), missing, "tensor methods that no row of OpSamples exercises");
  }

  @Test
  void namesAreUnique() {
    List<String> names = OpSamples.all().stream().map(OpSample::name).toList();
    assertEquals(names.size(), Set.copyOf(names).size(), names::toString);
  }

  @TestFactory
  Stream<DynamicTest> rulesHold() {
    return Stream.concat(OpSamples.all().stream(), RandomGraphs.rows(60).stream())
        .map(
            s ->
                DynamicTest.dynamicTest(
                    s.name(),
                    () -> {
                      List<CheckResult> results = RuleChecks.run(s);
                      assertTrue(results.size() >= s.variants().size(), "checks were made");
                      List<String> failures =
                          results.stream()
                              .filter(r -> !r.passed())
                              .map(CheckResult::toString)
                              .toList();
                      assertTrue(failures.isEmpty(), () -> String.join("\n", failures));
                    }));
  }
}
