package corosync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Settings are what determines how fast a lost node is noticed, and who the nodes
// are.
type Settings struct {
	ClusterName string
	// Token is how long the token may be away, and Consensus how long the rest then
	// takes to agree: a node is lost after about their sum (corosync.conf(5)). They
	// are those in effect, with the token's coefficient for more than two nodes.
	Token, Consensus time.Duration
	// Hold is how long the representative keeps the token when there is little to send, so that
	// it goes round that often; zero if Corosync does not say.
	Hold  time.Duration
	Nodes []Node // by id
}

// Node is a node of the configuration.
type Node struct {
	ID   uint32
	Name string // as Pacemaker calls it; "" if the configuration has none
}

// Settings reads the settings in effect.
func (m *Map) Settings(ctx context.Context) (Settings, error) {
	var s Settings
	for _, timer := range []struct {
		key string
		to  *time.Duration
	}{{"runtime.config.totem.token", &s.Token}, {"runtime.config.totem.consensus", &s.Consensus}} {
		ms, err := m.number(ctx, timer.key)
		if err != nil {
			return Settings{}, err
		}
		*timer.to = time.Duration(ms) * time.Millisecond
	}
	hold, err := m.number(ctx, "runtime.config.totem.hold")
	if err != nil && !errors.Is(err, ErrNotExist) {
		return Settings{}, err
	}
	s.Hold = time.Duration(hold) * time.Millisecond
	name, err := m.Get(ctx, "totem.cluster_name")
	if err != nil && !errors.Is(err, ErrNotExist) {
		return Settings{}, err
	}
	if err == nil {
		s.ClusterName = name.String()
	}
	s.Nodes, err = m.nodes(ctx)
	return s, err
}

func (m *Map) number(ctx context.Context, key string) (uint64, error) {
	v, err := m.Get(ctx, key)
	if err != nil {
		return 0, err
	}
	n, err := v.Uint()
	if err != nil {
		return 0, fmt.Errorf("read %s of Corosync's map: %w", key, err)
	}
	return n, nil
}

func (m *Map) nodes(ctx context.Context) ([]Node, error) {
	const prefix = "nodelist.node."
	keys, err := m.Keys(ctx, prefix)
	if err != nil {
		return nil, err
	}
	var nodes []Node
	for _, key := range keys {
		position, ok := strings.CutSuffix(strings.TrimPrefix(key, prefix), ".nodeid")
		if _, err := strconv.Atoi(position); !ok || err != nil {
			continue
		}
		id, err := m.number(ctx, key)
		if err != nil {
			return nil, err
		}
		name, err := m.Get(ctx, prefix+position+".name")
		if err != nil && !errors.Is(err, ErrNotExist) {
			return nil, err
		}
		node := Node{ID: uint32(id)}
		if err == nil {
			node.Name = name.String()
		}
		nodes = append(nodes, node)
	}
	slices.SortFunc(nodes, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
	return nodes, nil
}
