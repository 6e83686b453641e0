package pacemaker

import (
	"context"
	"errors"
	"fmt"

	"github.com/beevik/etree"
)

// ErrNoAttribute is a node attribute that the attribute manager has no value of.
var ErrNoAttribute = errors.New("there is no such node attribute")

// Attributes writes and reads transient node attributes on a connection to
// ServiceAttributes.
type Attributes struct{ client }

// OpenAttributes uses a connection to the attribute manager.
func OpenAttributes(c conn) *Attributes { return &Attributes{client{conn: c}} }

// Update sets an attribute of a node. The attribute manager accepts it and writes it
// to the CIB later, which the CIB's patches show.
func (a *Attributes) Update(ctx context.Context, node, name, value string) error {
	return a.update(ctx, node, name, "attr_value", value)
}

// Delete removes an attribute of a node.
func (a *Attributes) Delete(ctx context.Context, node, name string) error {
	return a.update(ctx, node, name)
}

func (a *Attributes) update(ctx context.Context, node, name string, value ...string) error {
	request := append([]string{"t", "attrd", "src", clientName, "task", "update", "attr_name", name,
		"attr_host", node, "attr_is_remote", "0", "attr_is_private", "0"}, value...)
	if err := a.tell(ctx, element("attribute", request...)); err != nil {
		return fmt.Errorf("update %s of %s: %w", name, node, err)
	}
	return nil
}

// Query gives an attribute's value on every node that has one. Private attributes,
// which never reach the CIB, can be seen in this way only.
func (a *Attributes) Query(ctx context.Context, name string) (map[string]string, error) {
	answer, err := a.ask(ctx, element("attribute", "t", "attrd", "src", clientName, "task", "query", "attr_name", name))
	if err == nil {
		var values map[string]string
		if values, err = parseValues(answer); err == nil {
			return values, nil
		}
	}
	return nil, fmt.Errorf("query %s: %w", name, err)
}

func parseValues(answer *etree.Element) (map[string]string, error) {
	if answer.Tag == "ack" { // the attribute manager knows no such name
		return nil, ErrNoAttribute
	}
	values := map[string]string{}
	for _, n := range answer.SelectElements("node") {
		if v := n.SelectAttr("attr_value"); v != nil {
			values[n.SelectAttrValue("attr_host", "")] = v.Value
		}
	}
	if len(values) == 0 {
		return nil, ErrNoAttribute
	}
	return values, nil
}
