package tapedeck.bench.adbench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A skeleton of bones with a skinned surface.
 *
 * @param parents bone above each bone, -1 for the root; a parent comes before its children
 * @param relatives bones x 4 x 4, row-major: pose of each bone relative to its parent at rest
 * @param inverses bones x 4 x 4: inverse of the absolute pose at rest
 * @param positions vertices x 3
 * @param weights bones x vertices: skinning weights
 * @param triangles three vertices each
 */
public record HandModel(
    int[] parents,
    double[] relatives,
    double[] inverses,
    double[] positions,
    double[] weights,
    int[][] triangles) {

  public int bones() {
    return parents.length;
  }

  public int vertices() {
    return positions.length / 3;
  }

  /**
   * Reads bones.txt, vertices.txt and triangles.txt, whose fields are separated by colons.
   *
   * @throws tapedeck.ad.type.DataException with file and line where one is missing or not of that
   *     form
   */
  public static HandModel read(Path folder) {
    TokenReader bones = new TokenReader(folder.resolve("bones.txt"), ':');
    List<Integer> parents = new ArrayList<>();
    List<double[]> relatives = new ArrayList<>();
    List<double[]> inverses = new ArrayList<>();
    while (!bones.atEnd()) {
      bones.word("a bone's name");
      parents.add(bones.integer("a parent", -1, parents.size() - 1));
      relatives.add(bones.numbers(16, "a relative pose"));
      inverses.add(bones.numbers(16, "an inverse pose"));
    }
    int count = parents.size();
    TokenReader in = new TokenReader(folder.resolve("vertices.txt"), ':');
    List<double[]> positions = new ArrayList<>();
    List<double[]> weights = new ArrayList<>();
    while (!in.atEnd()) {
      positions.add(in.numbers(3, "a coordinate"));
      in.numbers(5, "a normal or texture coordinate");
      double[] w = new double[count];
      int n = in.integer("the number of weights", 0, count);
      for (int i = 0; i < n; i++) {
        int bone = in.integer("a bone", 0, count - 1);
        w[bone] = in.number("a weight");
      }
      weights.add(w);
    }
    TokenReader tri = new TokenReader(folder.resolve("triangles.txt"), ':');
    List<int[]> triangles = new ArrayList<>();
    while (!tri.atEnd()) {
      int[] t = new int[3];
      for (int i = 0; i < 3; i++) {
        t[i] = tri.integer("a vertex", 0, positions.size() - 1);
      }
      triangles.add(t);
    }
    double[] byBone = new double[count * positions.size()];
    for (int v = 0; v < positions.size(); v++) {
      for (int b = 0; b < count; b++) {
        byBone[b * positions.size() + v] = weights.get(v)[b];
      }
    }
    return new HandModel(
        parents.stream().mapToInt(i -> i).toArray(),
        join(relatives),
        join(inverses),
        join(positions),
        byBone,
        triangles.toArray(int[][]::new));
  }

  private static double[] join(List<double[]> parts) {
    return parts.stream().flatMapToDouble(java.util.Arrays::stream).toArray();
  }
}
