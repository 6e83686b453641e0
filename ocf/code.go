package ocf

import "strconv"

// Code is the exit status of an action, as the OCF Resource Agent API 1.1,
// section "Return codes", numbers them.
type Code int

// The exit statuses that Pacemaker 2.1 understands. Any other status is taken as
// [ErrGeneric] (services__ocf2ocf in lib/services/services_ocf.c).
const (
	Success          Code = 0
	ErrGeneric       Code = 1 // soft: Pacemaker recovers, on this node too
	ErrArgs          Code = 2 // hard: the resource leaves this node
	ErrUnimplemented Code = 3 // hard, except for a recurring action
	ErrPerm          Code = 4 // hard
	ErrInstalled     Code = 5 // hard
	ErrConfigured    Code = 6 // fatal: the resource may run nowhere
	NotRunning       Code = 7
	RunningPromoted  Code = 8
	FailedPromoted   Code = 9
	Degraded         Code = 190 // running, but expect trouble
	DegradedPromoted Code = 191
)

// String names c as ocf-returncodes of resource-agents does.
func (c Code) String() string {
	switch c {
	case Success:
		return "OCF_SUCCESS"
	case ErrGeneric:
		return "OCF_ERR_GENERIC"
	case ErrArgs:
		return "OCF_ERR_ARGS"
	case ErrUnimplemented:
		return "OCF_ERR_UNIMPLEMENTED"
	case ErrPerm:
		return "OCF_ERR_PERM"
	case ErrInstalled:
		return "OCF_ERR_INSTALLED"
	case ErrConfigured:
		return "OCF_ERR_CONFIGURED"
	case NotRunning:
		return "OCF_NOT_RUNNING"
	case RunningPromoted:
		return "OCF_RUNNING_PROMOTED"
	case FailedPromoted:
		return "OCF_FAILED_PROMOTED"
	case Degraded:
		return "OCF_DEGRADED"
	case DegradedPromoted:
		return "OCF_DEGRADED_PROMOTED"
	default:
		return "exit status " + strconv.Itoa(int(c))
	}
}
