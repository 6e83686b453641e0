//go:build lab

package cluster

import (
	"fmt"
	"strings"

	"holdfast/tests/chaos/pacemaker"
)

// status is the cluster as crm_mon shows it, in the words of these tests.
type status struct{ pacemaker.Status }

func parseStatus(text string) (status, error) {
	s, err := pacemaker.Parse(text)
	return status{s}, err
}

// promoted lists the nodes where the database is promoted, sorted.
func (s status) promoted() []string { return s.Promoted() }

// running lists the nodes where the primitive is started.
func (s status) running(id string) []string { return s.Running(id) }

func (s status) online() []string { return s.Online() }

// reasons are the exit reasons of failed actions on the node.
func (s status) reasons(node string) []string { return s.Reasons(node) }

func (s status) String() string {
	return fmt.Sprintf("online [%s], galera promoted on [%s], vip on [%s], %d failed actions",
		strings.Join(s.online(), " "), strings.Join(s.promoted(), " "), strings.Join(s.running("vip"), " "), len(s.Failures))
}
