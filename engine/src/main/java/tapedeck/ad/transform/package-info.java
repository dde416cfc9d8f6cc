/**
 * Transforms of tapes: forward mode, reverse mode and batching. Input: a tape and tensors (traced
 * or concrete); output: tensors. A transform interprets a tape with the primitives' rules, so every
 * transform nests in every other.
 */
package tapedeck.ad.transform;
