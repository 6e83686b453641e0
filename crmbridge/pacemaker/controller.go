package pacemaker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/beevik/etree"
)

// featureSet is the CRM feature set of Pacemaker 2.1.5; the controller of a cluster
// accepts older ones.
const featureSet = "3.16.1"

// Failure is a resource that somebody found failed.
type Failure struct {
	Node     string
	Resource string // id of the primitive, also for an instance of a clone
	Class    string // as "ocf"
	Provider string // as "heartbeat"; "" for classes without
	Type     string // as "IPaddr2"
}

// Controller reports failures on a connection to ServiceController, as root or
// hacluster.
type Controller struct {
	client
	uuid      string
	reference atomic.Int64
}

// OpenController greets the controller, which talks to nobody who did not.
func OpenController(ctx context.Context, c conn) (*Controller, error) {
	var id [16]byte
	rand.Read(id[:]) // never fails
	k := &Controller{client: client{conn: c}, uuid: hex.EncodeToString(id[:])}
	options := element("options", "major_version", "1", "minor_version", "0", "client_name", clientName, "client_uuid", k.uuid)
	hello := k.envelope("hello", options)
	hello.CreateAttr("crm_sys_from", k.uuid+"_"+clientName)
	if err := k.tell(ctx, hello); err != nil {
		return nil, fmt.Errorf("greet the controller: %w", err)
	}
	return k, nil
}

// envelope wraps what is said to a controller.
func (k *Controller) envelope(task string, data *etree.Element) *etree.Element {
	reference := fmt.Sprintf("%s-%s-%d", task, clientName, k.reference.Add(1))
	e := element("create_request_adv", "origin", clientName, "t", "crmd", "version", featureSet,
		"subt", "request", "reference", reference, "crm_task", task)
	e.CreateElement("crm_xml").AddChild(data)
	return e
}

// ReportFailure makes the cluster recover a resource, as "crm_resource --fail" does,
// and waits until the controller has recorded the failure.
//
// Pacemaker 2.1.5 often counts two failures for one report, and treats it as an
// operation "asyncmon", whatever the monitor's on-fail is. A failure that is reported
// while the resource recovers fails the new instance. The controller does not check
// that the cluster has such a resource: the caller knows it from the CIB.
func (k *Controller) ReportFailure(ctx context.Context, f Failure) error {
	if err := k.report(ctx, f); err != nil {
		return fmt.Errorf("report that %s failed on %s: %w", f.Resource, f.Node, err)
	}
	return nil
}

func (k *Controller) report(ctx context.Context, f Failure) error {
	operation := element("rsc_op", "transition-key", fmt.Sprintf("0:%d:0:xxxxxxxx-xrsc-opxx-xcrm-resourcexxxx", os.Getpid()), "on_node", f.Node)
	primitive := element("primitive", "id", f.Resource, "class", f.Class, "type", f.Type)
	if f.Provider != "" {
		primitive.CreateAttr("provider", f.Provider)
	}
	operation.AddChild(primitive)
	operation.AddChild(element("attributes", "crm_feature_set", featureSet, "CRM_meta_timeout", "60000"))
	request := k.envelope("lrm_fail", operation)
	request.CreateAttr("crm_sys_to", "crmd")
	request.CreateAttr("crm_host_to", f.Node)
	request.CreateAttr("crm_sys_from", k.uuid+"_"+clientName)
	if err := k.tell(ctx, request); err != nil {
		return err
	}
	for {
		e, err := k.conn.Event(ctx)
		if err != nil {
			return err
		}
		root, err := parseEvent(e.Data)
		if err != nil {
			return err
		}
		if done, err := outcome(root, f.Resource); done {
			return err
		}
	}
}

// outcome reads the result of a report, a faked operation of the resource
// (controld_ack_event_directly); false if the event is about something else.
func outcome(root *etree.Element, resource string) (bool, error) {
	for _, r := range root.FindElements(".//lrm_resource") {
		if r.SelectAttrValue("id", "") != resource {
			continue
		}
		operation := r.SelectElement("lrm_rsc_op")
		if operation == nil {
			continue
		}
		rc, err := strconv.Atoi(operation.SelectAttrValue("rc-code", ""))
		if err != nil {
			return true, fmt.Errorf("%w: <lrm_rsc_op rc-code=%q>", ErrMalformed, operation.SelectAttrValue("rc-code", ""))
		}
		if rc != 0 {
			return true, fmt.Errorf("the controller refused, with OCF code %d: %s", rc, operation.SelectAttrValue("exit-reason", ""))
		}
		return true, nil
	}
	return false, nil
}
