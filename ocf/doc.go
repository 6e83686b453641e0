// Package ocf is the contract between Pacemaker and a resource agent.
//
// Pacemaker runs an agent once per action, with the action's name as the only
// argument and everything else in the environment:
//
//	OCF_RESKEY_<parameter>         what the operator set on the resource
//	OCF_RESKEY_CRM_meta_<name>     what Pacemaker adds (timeout, interval, ...)
//	OCF_RESOURCE_INSTANCE          the resource's id, with ":N" for a clone instance
//	OCF_CHECK_LEVEL                how deep a monitor or validate-all shall look
//
// The agent answers with an exit status ([Code]) and one sentence for people, the
// exit reason, on standard error. An agent is a value of type [Agent]: its
// parameters and actions are one table, from which the meta-data is printed and
// the environment is parsed, so that the two cannot drift apart.
//
// Sources: the OCF Resource Agent API 1.0 and 1.1 (ClusterLabs/OCF-spec),
// "Resource Agents" in Pacemaker Administration 2.1, and, for the exit reason,
// lib/services/services.c of Pacemaker 2.1.5.
//
// Not its business: talking to the cluster (agents/internal/crm does), running
// processes, the network, and everything that one agent knows of its own
// resource. It imports the standard library only.
package ocf
