/**
 * The four problems of ADBench (Šrajer, Kukelova, Fitzgibbon: A benchmark of selected algorithmic
 * differentiation tools, 2018). Input: instances in ADBench's text form; output: values, gradients
 * and Jacobians in its text form.
 */
package tapedeck.bench.adbench;
