"""The relay: nodes (a station, its hub) exchange whatever the other lacks, by any way that carries bytes.

A *record* is signed by the node that wrote it and never changes; merging is the union of sets. Each node lists its records in the
order it got them, with a running digest, the *chain*. The receiver keeps how far it has read a channel of a peer, in the same
transaction as the records; the sender honours that only where its own chain is equal there. What goes between two nodes is a
*message*, signed and sealed, whether in a request or as a file on a stick. docs/relay.md tells the whole.
"""
