package cib

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"

	"github.com/beevik/etree"
)

// Version is a version of the CIB. It grows with every change, alike on all nodes of
// a partition; versions of two partitions cannot be compared.
type Version struct{ AdminEpoch, Epoch, NumUpdates int }

// Configuration is the version of the configuration: num_updates counts what happens in the status section only.
func (v Version) Configuration() Version { return Version{AdminEpoch: v.AdminEpoch, Epoch: v.Epoch} }

// Compare is negative if v is older than w, positive if it is newer.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.AdminEpoch, w.AdminEpoch), cmp.Compare(v.Epoch, w.Epoch), cmp.Compare(v.NumUpdates, w.NumUpdates))
}

func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d", v.AdminEpoch, v.Epoch, v.NumUpdates)
}

// VersionOf reads a version from the attributes of an element: a <cib>, or the <source>
// or <target> of a patchset. An absent number is 0, as for Pacemaker.
func VersionOf(e *etree.Element) (Version, error) {
	var v Version
	var errs []error
	for _, n := range []struct {
		name string
		to   *int
	}{{"admin_epoch", &v.AdminEpoch}, {"epoch", &v.Epoch}, {"num_updates", &v.NumUpdates}} {
		text := e.SelectAttrValue(n.name, "0")
		var err error
		if *n.to, err = strconv.Atoi(text); err != nil || *n.to < 0 {
			errs = append(errs, fmt.Errorf("%w: <%s %s=%q>", ErrMalformed, e.Tag, n.name, text))
		}
	}
	return v, errors.Join(errs...)
}
