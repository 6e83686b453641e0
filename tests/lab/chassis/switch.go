package chassis

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"time"

	"holdfast/tests/lab/power"
)

// The rack is the power.Switch behind the Redfish service.
var _ power.Switch = (*rack)(nil)

func (r *rack) Systems() []string {
	var names []string
	for _, n := range r.nodes {
		names = append(names, n.config.Name)
	}
	return names
}

func (r *rack) PowerState(system string) (power.State, error) {
	n, err := r.find(system)
	if err != nil {
		return "", err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.powerState(), nil
}

// Reset carries out a power action and logs it with its times. Once begun it does not stop because the peer hung up: half a power cut
// would be a state that no real switch leaves behind.
func (r *rack) Reset(ctx context.Context, reset power.Reset) error {
	n, err := r.find(reset.System)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	ctx, cancel := context.WithTimeout(ctx, bootTimeout+cutTimeout)
	defer cancel()
	begun := time.Now()
	switch reset.Type {
	case power.ResetOn:
		err = n.powerOn(ctx)
	case power.ResetForceOff:
		err = n.cut(ctx)
	case power.ResetGracefulShutdown:
		err = n.halt()
	case power.ResetForceRestart:
		if err = n.cut(ctx); err == nil {
			err = n.powerOn(ctx)
		}
	default:
		err = fmt.Errorf("reset type %q is not known", reset.Type)
	}
	result := "done"
	if err != nil {
		err = fmt.Errorf("%s of %s: %w", reset.Type, reset.System, err)
		result = err.Error()
	}
	r.power.Printf("%s %-5s %-16s from %-22s %4d ms: %s", begun.Format("2006-01-02T15:04:05.000Z07:00"), reset.System, reset.Type,
		reset.From, time.Since(begun).Milliseconds(), result)
	return err
}

func (r *rack) find(name string) (*node, error) {
	i := slices.IndexFunc(r.nodes, func(n *node) bool { return n.config.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("%w: %q; there are %v", power.ErrUnknownSystem, name, r.Systems())
	}
	return r.nodes[i], nil
}

func tlsConfig(certificate tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
}
