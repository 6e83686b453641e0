// Package cib is Pacemaker's state as values: the CIB, kept current by the patchsets
// that Pacemaker announces, and what it says about the cluster.
//
// A [Document] is a copy of a CIB. [Document.Apply] brings it to the next version and
// gives what changed, as pairs of facts. A patchset that does not continue the copy,
// that cannot be applied, or whose digest shows another result, makes the copy
// unusable, and it says so until [Document.Replace] gives it a new one: it is never
// silently wrong.
//
// A [Fact] is one thing that the CIB says, as a comparable value: an [Operation] in the
// history of a resource, a [NodeState], an [Attribute] and so on. [Document.State] has
// all of them at one moment.
//
// Sources: Pacemaker 2.1.5, lib/common/patchset.c (patchsets of format 2),
// lib/common/digest.c and xml.c (digests), Pacemaker Explained, chapter Status, and
// lib/pacemaker/pcmk_sched_actions.c (pcmk__create_history_xml, the history).
//
// Not its business: getting a CIB or a patchset from anywhere, changing a cluster, and
// parameters of resources, which may hold secrets; only floating addresses are read.
package cib
