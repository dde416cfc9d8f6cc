package tapedeck.cpu.jit;

import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;

/** Where a value of the block goes. */
sealed interface Sink {
  Expr value();

  /** Whether values are combined, rather than stored one by one. */
  default boolean combines() {
    return false;
  }

  /** To a parameter, at the store's index. */
  record ToParam(Phase.Store store) implements Sink {
    @Override
    public Expr value() {
      return store.value();
    }
  }

  /** Added to a parameter's elements. */
  record AddToParam(Phase.Store store) implements Sink {
    @Override
    public Expr value() {
      return store.value();
    }
  }

  /** Combined lane by lane with a vector or a block of accumulators at an offset of scratch. */
  record Fold(Expr value, Reducer reducer, long scratch, boolean perElement) implements Sink {
    @Override
    public boolean combines() {
      return true;
    }
  }

  /**
   * Combined over each row that the plan walks, to one accumulator a row at an offset of scratch.
   */
  record Total(Expr value, Reducer reducer, long scratch) implements Sink {
    @Override
    public boolean combines() {
      return true;
    }
  }

  /** To consecutive elements from the address that stands at an offset of scratch. */
  record ToTile(Expr value, long entry) implements Sink {}
}
