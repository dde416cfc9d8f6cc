package tapedeck.bench;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import tapedeck.bench.data.ImageData;

/** Images to work on and the hidden layers of the network that looks at them. */
final class DataOption {
  private static final String DIGITS = "digits";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = {
        "folder with images in IDX form under MNIST's names, or 'digits' for the digits that are part"
            + " of this program; default: Fashion-MNIST where Debian's package put it, else the digits"
      })
  private Optional<String> data = Optional.empty();

  @Option(
      names = "--hidden",
      split = ",",
      paramLabel = "N",
      description = "widths of the hidden layers; default: 512,512")
  private List<Integer> hidden = List.of(512, 512);

  ImageData read() {
    if (data.isPresent() && data.get().equals(DIGITS)) {
      return ImageData.digits();
    }
    return ImageData.find(data.map(Path::of));
  }

  void check(CommandLine command) {
    hidden.forEach(n -> Options.positive(command, "--hidden", n));
  }

  /** Width of the input, of each hidden layer and of the output. */
  int[] sizes(ImageData images) {
    int[] sizes = new int[hidden.size() + 2];
    sizes[0] = images.train().features();
    for (int i = 0; i < hidden.size(); i++) {
      sizes[i + 1] = hidden.get(i);
    }
    sizes[sizes.length - 1] = images.train().classes();
    return sizes;
  }

  /** As in {@code 784-512-512-10}. */
  static String name(int[] sizes) {
    return String.join("-", Arrays.stream(sizes).mapToObj(Integer::toString).toList());
  }
}
