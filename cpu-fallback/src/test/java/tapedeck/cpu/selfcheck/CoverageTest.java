package tapedeck.cpu.selfcheck;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CoverageTest {
  /** Run with -Dtapedeck.coverage=write to bring the page up to date. */
  @Test
  void thePageIsCurrent() throws IOException {
    Path page = Path.of("..", "docs", "op-coverage.md");
    if ("write".equals(System.getProperty("tapedeck.coverage"))) {
      Coverage.main(new String[] {page.toString()});
    }
    assertEquals(
        Coverage.markdown(),
        Files.readString(page),
        "docs/op-coverage.md is old: run tapedeck.cpu.selfcheck.Coverage docs/op-coverage.md");
  }
}
