package tapedeck.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The programs in the README compile as they stand there, and the first one prints what it says.
 */
class ReadmeTest {
  private static final Pattern PROGRAM =
      Pattern.compile("```java\\n(.*?public class (\\w+).*?)```", Pattern.DOTALL);

  @TempDir Path folder;

  @Test
  void examplesCompileAndRun() throws Exception {
    Matcher m = PROGRAM.matcher(Files.readString(Path.of("../README.md")));
    List<String> names = new ArrayList<>();
    while (m.find()) {
      names.add(m.group(2));
      Path source = Files.writeString(folder.resolve(m.group(2) + ".java"), m.group(1));
      StringWriter messages = new StringWriter();
      boolean ok =
          ToolProvider.getSystemJavaCompiler()
              .getTask(
                  messages,
                  null,
                  null,
                  List.of("-d", folder.toString(), "-cp", System.getProperty("java.class.path")),
                  null,
                  ToolProvider.getSystemJavaCompiler()
                      .getStandardFileManager(null, null, null)
                      .getJavaFileObjects(source))
              .call();
      assertTrue(ok, messages.toString());
    }
    assertTrue(names.contains("Example"), names.toString());
    assertEquals("y = 2.000 x + 1.000", output("Example"));
  }

  private String output(String name) throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream captured = new ByteArrayOutputStream();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()});
        PrintStream out = new PrintStream(captured, true, StandardCharsets.UTF_8)) {
      System.setOut(out);
      loader.loadClass(name).getMethod("main", String[].class).invoke(null, (Object) new String[0]);
    } finally {
      System.setOut(before);
    }
    return captured.toString(StandardCharsets.UTF_8).strip();
  }
}
