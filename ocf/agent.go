package ocf

import (
	"context"
	"strings"
	"time"
)

// Agent is a resource agent: what it tells Pacemaker of itself, and what it does.
type Agent struct {
	Name       string // the file's name in resource.d/<provider>/
	Version    string // of the agent, not of the OCF API
	Short      string
	Long       string
	Parameters []Parameter
	Actions    []Action
}

// Action is one row of an agent's table of actions. A name may stand in several
// rows (monitor with one interval per role): the first row's Run is used.
type Action struct {
	Name     string
	Timeout  time.Duration // the minimum that the meta-data suggests
	Interval time.Duration // 0: not recurring
	Role     string        // "Promoted", "Unpromoted" or "" for any
	Depth    int           // OCF_CHECK_LEVEL of a recurring monitor

	// Run does it. A nil error means that the Code is the answer; an error's own
	// Code is used otherwise, and its text becomes the exit reason.
	Run func(ctx context.Context, req *Request) (Code, error)

	// Tolerant actions run even if parameters are wrong, with the defaults in
	// their place and the problems in the request. A stop must be one: a stop that
	// fails gets the node fenced.
	Tolerant bool
	// Hidden actions are carried out but not advertised.
	Hidden bool
}

// Request is one call of an agent.
type Request struct {
	Action     string
	Instance   string // OCF_RESOURCE_INSTANCE, such as "galera:1"
	Params     Values
	Problems   []error // wrong parameters; only a tolerant action sees any
	Meta       Meta
	CheckLevel int // OCF_CHECK_LEVEL
	Log        *Log
}

// Resource is the resource's id without a clone's instance number, as resource
// agents use it in the names of node attributes.
func (r *Request) Resource() string {
	id, _, _ := strings.Cut(r.Instance, ":")
	return id
}

// Probe says whether this monitor asks for the state at a time when nobody
// expects the resource to run (interval 0: ocf_is_probe of resource-agents).
func (r *Request) Probe() bool {
	return r.Action == "monitor" && r.Meta.Interval() == 0
}

func (a *Agent) action(name string) (*Action, bool) {
	for i := range a.Actions {
		if a.Actions[i].Name == name {
			return &a.Actions[i], true
		}
	}
	return nil, false
}
