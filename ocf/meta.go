package ocf

import (
	"strconv"
	"strings"
	"time"
)

// Meta gives access to what Pacemaker itself adds to a call, the
// OCF_RESKEY_CRM_meta_* variables ("Resource Agents" in Pacemaker Administration).
type Meta struct{ getenv func(string) string }

// NewMeta reads from getenv.
func NewMeta(getenv func(string) string) Meta { return Meta{getenv} }

// Get returns one meta attribute by its name without the prefix, "" if it is not set.
func (m Meta) Get(name string) string { return m.getenv("OCF_RESKEY_CRM_meta_" + name) }

// Timeout is how long Pacemaker gives this action; 0 if it did not say.
func (m Meta) Timeout() time.Duration { return m.milliseconds("timeout") }

// Interval is the interval of a recurring action; 0 for a probe and for the rest.
func (m Meta) Interval() time.Duration { return m.milliseconds("interval") }

// OnNode is the node that runs the action, as Pacemaker calls it; "" if it did not say.
func (m Meta) OnNode() string { return m.Get("on_node") }

// Promotable says whether the resource is a promotable clone. Pacemaker 2.1.5 passes
// promoted_max to one, but not promotable itself.
func (m Meta) Promotable() bool {
	b, _ := parseBool(m.Get("promotable"))
	return b || m.PromotedMax() > 0
}

// CloneMax is how many instances there may be; 0 if the resource is no clone.
func (m Meta) CloneMax() int { n, _ := strconv.Atoi(m.Get("clone_max")); return n }

// Clone is the number of this instance of a clone, from 0; 0 if the resource is no clone.
func (m Meta) Clone() int { n, _ := strconv.Atoi(m.Get("clone")); return max(n, 0) }

// GloballyUnique says whether the instances of a clone differ from each other.
func (m Meta) GloballyUnique() bool { b, _ := parseBool(m.Get("globally_unique")); return b }

// PromotedMax is how many instances may be promoted, under its name of today or
// that of before Pacemaker 2.0; 0 if it was not given.
func (m Meta) PromotedMax() int {
	for _, name := range []string{"promoted_max", "master_max"} {
		if n, err := strconv.Atoi(m.Get(name)); err == nil {
			return n
		}
	}
	return 0
}

// Notify describes a notification: "pre" or "post", and the operation ("promote", ...).
func (m Meta) Notify() (when, operation string) {
	return m.Get("notify_type"), m.Get("notify_operation")
}

// NotifyNodes is a list of nodes in a notification's environment, such as
// "promoted_uname", "start_uname" or "active_uname".
func (m Meta) NotifyNodes(list string) []string {
	return strings.Fields(m.Get("notify_" + list))
}

func (m Meta) milliseconds(name string) time.Duration {
	n, err := strconv.ParseInt(m.Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Millisecond
}
