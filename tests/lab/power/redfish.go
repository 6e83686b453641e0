package power

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// State is a PowerState of a ComputerSystem (DMTF DSP0268, Resource.PowerState).
type State string

// The power states a lab node can have.
const (
	On           State = "On"
	Off          State = "Off"
	PoweringOff  State = "PoweringOff"
	systemsPath        = "/redfish/v1/Systems"
	maxBodyBytes       = 64 << 10
)

// ResetType is what a ComputerSystem.Reset action asks for (DMTF DSP0268, Resource.ResetType).
type ResetType string

// The reset types this service accepts.
const (
	ResetOn               ResetType = "On"
	ResetForceOff         ResetType = "ForceOff"
	ResetGracefulShutdown ResetType = "GracefulShutdown"
	ResetForceRestart     ResetType = "ForceRestart"
)

// ResetTypes lists every reset type in the order in which it is announced.
func ResetTypes() []ResetType {
	return []ResetType{ResetOn, ResetForceOff, ResetGracefulShutdown, ResetForceRestart}
}

// ErrUnknownSystem is what a Switch returns, wrapped or not, for a system it does not have.
var ErrUnknownSystem = errors.New("no such system")

// Reset is one request to change a system's power.
type Reset struct {
	System string
	Type   ResetType
	From   string // who asked: the peer's network address
}

// Switch does the work behind the protocol.
type Switch interface {
	// Systems names the machines on the switch, in order.
	Systems() []string
	// PowerState fails with ErrUnknownSystem for a machine that is not on the switch.
	PowerState(system string) (State, error)
	// Reset returns when the machine's power is as asked, except for a graceful shutdown, which it only starts. A machine that
	// already is as asked is no error: a fence agent that repeats itself must not fail.
	Reset(ctx context.Context, reset Reset) error
}

// Handler serves sw as a Redfish service (DMTF DSP0266): the service root, the systems collection, each system with its PowerState and
// its Reset action. It does not authenticate; see BasicAuth.
func Handler(sw Switch) http.Handler {
	s := service{sw}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /redfish", s.versions)
	for _, slash := range []string{"", "/{$}"} { // DSP0266 6.5: clients may or may not send the trailing slash
		mux.HandleFunc("GET /redfish/v1"+slash, s.root)
		mux.HandleFunc("GET "+systemsPath+slash, s.systems)
		mux.HandleFunc("GET "+systemsPath+"/{system}"+slash, s.system)
		mux.HandleFunc("POST "+systemsPath+"/{system}/Actions/ComputerSystem.Reset"+slash, s.reset)
	}
	return mux
}

// ResetPath is the target of a system's Reset action.
func ResetPath(system string) string {
	return systemsPath + "/" + system + "/Actions/ComputerSystem.Reset"
}

// BasicAuth lets a request through when it carries user and password (RFC 7617). The service root stays open, as DSP0266 demands.
func BasicAuth(user, password string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open := r.URL.Path == "/redfish" || r.URL.Path == "/redfish/v1" || r.URL.Path == "/redfish/v1/"
		u, p, _ := r.BasicAuth()
		userOK := subtle.ConstantTimeCompare([]byte(u), []byte(user)) == 1
		passwordOK := subtle.ConstantTimeCompare([]byte(p), []byte(password)) == 1
		if !open && (!userOK || !passwordOK) {
			w.Header().Set("WWW-Authenticate", `Basic realm="power switch"`)
			fail(w, http.StatusUnauthorized, "Base.1.8.InsufficientPrivilege", "user or password is wrong")
			return
		}
		next.ServeHTTP(w, r)
	})
}

type service struct{ sw Switch }

type object map[string]any

func link(path string) object { return object{"@odata.id": path} }

func (service) versions(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, object{"v1": "/redfish/v1/"})
}

func (service) root(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, object{
		"@odata.id":      "/redfish/v1/",
		"@odata.type":    "#ServiceRoot.v1_5_0.ServiceRoot",
		"Id":             "RootService",
		"Name":           "Holdfast lab power switch",
		"RedfishVersion": "1.6.0",
		"Systems":        link(systemsPath),
	})
}

func (s service) systems(w http.ResponseWriter, _ *http.Request) {
	members := []object{}
	for _, name := range s.sw.Systems() {
		members = append(members, link(systemsPath+"/"+name))
	}
	reply(w, http.StatusOK, object{
		"@odata.id":           systemsPath,
		"@odata.type":         "#ComputerSystemCollection.ComputerSystemCollection",
		"Name":                "Systems",
		"Members":             members,
		"Members@odata.count": len(members),
	})
}

func (s service) system(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("system")
	state, err := s.sw.PowerState(name)
	if err != nil {
		failWith(w, err)
		return
	}
	reply(w, http.StatusOK, object{
		"@odata.id":   systemsPath + "/" + name,
		"@odata.type": "#ComputerSystem.v1_10_0.ComputerSystem",
		"Id":          name,
		"Name":        name,
		"SystemType":  "OS",
		"PowerState":  state,
		"Actions": object{"#ComputerSystem.Reset": object{
			"target":                            ResetPath(name),
			"ResetType@Redfish.AllowableValues": ResetTypes(),
		}},
	})
}

func (s service) reset(w http.ResponseWriter, r *http.Request) {
	var body struct{ ResetType ResetType }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes)).Decode(&body); err != nil {
		fail(w, http.StatusBadRequest, "Base.1.8.MalformedJSON", fmt.Sprintf("the body of a Reset is not JSON: %v", err))
		return
	}
	if !slices.Contains(ResetTypes(), body.ResetType) {
		fail(w, http.StatusBadRequest, "Base.1.8.ActionParameterNotSupported",
			fmt.Sprintf("ResetType %q is not one of %v", body.ResetType, ResetTypes()))
		return
	}
	err := s.sw.Reset(r.Context(), Reset{System: r.PathValue("system"), Type: body.ResetType, From: r.RemoteAddr})
	if err != nil {
		failWith(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func failWith(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrUnknownSystem) {
		fail(w, http.StatusNotFound, "Base.1.8.ResourceMissingAtURI", err.Error())
		return
	}
	fail(w, http.StatusInternalServerError, "Base.1.8.InternalError", err.Error())
}

// fail answers with a Redfish error response (DSP0266, "Error responses").
func fail(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, object{"error": object{"code": code, "message": message}})
}

func reply(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("OData-Version", "4.0")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the peer hung up: nobody is left to tell
}
