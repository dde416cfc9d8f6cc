package tapedeck.arch;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The packages of the engine are read in one order, and nothing imports backwards. */
class LayersTest {
  /** Each package may use those before it. */
  private static final List<String> ORDER =
      List.of(
          "tapedeck.ad.type",
          "tapedeck.ad.kir",
          "tapedeck.ad.tensor",
          "tapedeck.ad.tape",
          "tapedeck.ad.transform",
          "tapedeck.ad.schedule",
          "tapedeck.ad.backend",
          "tapedeck.ad.run",
          "tapedeck.ad");

  private static final List<String> JDK = List.of("java..", "jdk.jfr..", "org.jspecify..");

  private static final JavaClasses ENGINE =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("tapedeck.ad");

  @Test
  void everyPackageHasItsPlace() {
    // Also fails where the importer cannot read this release's class files, for then it finds none.
    assertEquals(
        new TreeSet<>(ORDER),
        ENGINE.stream()
            .map(JavaClass::getPackageName)
            .collect(Collectors.toCollection(TreeSet::new)));
  }

  @TestFactory
  Stream<DynamicTest> nothingImportsBackwards() {
    return IntStream.range(0, ORDER.size())
        .mapToObj(
            i ->
                DynamicTest.dynamicTest(
                    ORDER.get(i),
                    () -> {
                      List<String> allowed = new ArrayList<>(JDK);
                      allowed.addAll(ORDER.subList(0, i + 1));
                      classes()
                          .that()
                          .resideInAPackage(ORDER.get(i))
                          .should()
                          .onlyDependOnClassesThat()
                          .resideInAnyPackage(allowed.toArray(String[]::new))
                          .check(ENGINE);
                    }));
  }
}
