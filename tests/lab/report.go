package lab

import (
	"context"
	"strings"
	"time"

	"holdfast/tests/lab/chassis"
)

// NodeReport is a node from outside and inside.
type NodeReport struct {
	chassis.NodeStatus
	System string `json:"system"` // what systemctl is-system-running says; "-" without power or after a crash, "no answer" if it says nothing
}

// Report tells every node's state. A node that does not answer in a second is reported so.
func (l *Lab) Report(ctx context.Context) ([]NodeReport, error) {
	nodes, err := l.Status(ctx)
	if err != nil {
		return nil, err
	}
	report := make([]NodeReport, len(nodes))
	for i, n := range nodes {
		report[i] = NodeReport{n, l.system(ctx, n)}
	}
	return report, nil
}

func (l *Lab) system(ctx context.Context, n chassis.NodeStatus) string {
	if n.Init == 0 {
		return "-"
	}
	if n.Frozen {
		return "no answer"
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	state, _ := l.Exec(ctx, n.Name, "systemctl", "is-system-running") // fails in every state but "running", and says which
	if state = strings.TrimSpace(state); state == "" {
		return "no answer"
	}
	return state
}
