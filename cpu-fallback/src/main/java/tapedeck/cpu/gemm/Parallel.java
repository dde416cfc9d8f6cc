package tapedeck.cpu.gemm;

import java.util.function.IntConsumer;

/** Runs independent tasks, possibly on several threads. */
public interface Parallel {
  /** One after the other on the calling thread. */
  Parallel SEQUENTIAL =
      new Parallel() {
        @Override
        public void run(int tasks, IntConsumer body) {
          for (int i = 0; i < tasks; i++) {
            body.accept(i);
          }
        }

        @Override
        public int threads() {
          return 1;
        }
      };

  /** Calls body for 0 to tasks - 1, in any order, and returns when all calls have. */
  void run(int tasks, IntConsumer body);

  /** How many tasks may run at once. */
  int threads();
}
