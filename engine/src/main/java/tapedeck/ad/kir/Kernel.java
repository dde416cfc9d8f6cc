package tapedeck.ad.kir;

import java.util.List;
import java.util.Optional;
import tapedeck.ad.type.DType;

/**
 * One kernel: for every point of the grid loops, independently and in any order, the phases in
 * sequence. A parameter that is written is not read by the same kernel; but two parameters may be
 * bound to one buffer, where the one that is read is read only at the element that the same loop
 * point writes through the other, in the same phase or an earlier one (an update in place). Equal
 * kernels are equal records (names and source lines stay outside), so a backend may compile each
 * once.
 *
 * @param params the buffers, by position
 * @param grid parallel loops, outermost first; may be empty (one point)
 * @param phases what each grid point does
 * @param contraction set where the kernel is a matrix product
 */
public record Kernel(
    List<Param> params, List<Loop> grid, List<Phase> phases, Optional<Contraction> contraction) {

  /**
   * A buffer argument.
   *
   * @param dtype element type
   * @param elements number of elements, to which indices are relative
   * @param read whether an expression loads from it
   * @param written whether a phase stores to it
   */
  public record Param(DType dtype, long elements, boolean read, boolean written) {}

  /** {@return the number of grid points, 1 if there are no grid loops} */
  public long points() {
    return Contraction.extent(grid);
  }
}
