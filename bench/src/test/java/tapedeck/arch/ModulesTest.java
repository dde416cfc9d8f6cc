package tapedeck.arch;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;
import tapedeck.ad.kir.Reducer;

/** What each module may depend on. */
class ModulesTest {
  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(l -> !l.contains("-tests.jar"))
          .importPackages("tapedeck.ad", "tapedeck.cpu", "tapedeck.opencl");

  @Test
  void engineKnowsNoBackend() {
    noClasses()
        .that()
        .resideInAPackage("tapedeck.ad..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "tapedeck.cpu..", "tapedeck.opencl..", "tapedeck.tornado..", "tapedeck.bench..")
        .check(ALL);
  }

  @Test
  void cpuNeedsTheEngineOnly() {
    classes()
        .that()
        .resideInAPackage("tapedeck.cpu..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "java..", "jdk.incubator.vector..", "org.jspecify..", "tapedeck.ad..", "tapedeck.cpu..")
        .check(ALL);
  }

  @Test
  void openClNeedsTheEngineJoclAndJacksonOnly() {
    classes()
        .that()
        .resideInAPackage("tapedeck.opencl..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "java..",
            "com.fasterxml.jackson.core..",
            "org.jocl..",
            "org.jspecify..",
            "tapedeck.ad..",
            "tapedeck.opencl..")
        .check(ALL);
  }

  /**
   * An error in the kernels must not be able to hide in the oracle. The names of the reductions,
   * which are a parameter of the primitive, are all it takes from the kernel IR.
   */
  @Test
  void referenceSharesNoCodeWithTheKernels() {
    noClasses()
        .that()
        .resideInAPackage("tapedeck.cpu.reference")
        .should()
        .dependOnClassesThat(
            resideInAnyPackage(
                    "tapedeck.ad.kir",
                    "tapedeck.ad.schedule",
                    "tapedeck.ad.backend",
                    "tapedeck.cpu.interp..",
                    "tapedeck.cpu.math..",
                    "tapedeck.cpu.gemm..",
                    "tapedeck.cpu.jit..")
                .and(not(type(Reducer.class))))
        .check(ALL);
  }

  @Test
  void interpreterSharesNoCodeWithTheFastBackend() {
    noClasses()
        .that()
        .resideInAPackage("tapedeck.cpu.interp")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("tapedeck.cpu.math..", "tapedeck.cpu.gemm..", "tapedeck.cpu.jit..")
        .check(ALL);
  }
}
