/**
 * The test kit: what every backend must pass. Input: a backend's device; output: JUnit tests. A
 * backend's module has one subclass of {@link tapedeck.ad.testkit.BackendContract}.
 */
package tapedeck.ad.testkit;
