package power_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"holdfast/tests/lab/power"
)

// rack is a switch with two machines.
type rack struct {
	states map[string]power.State
	resets []power.Reset
	broken error
}

func (r *rack) Systems() []string { return []string{"db1", "db2"} }

func (r *rack) PowerState(system string) (power.State, error) {
	state, ok := r.states[system]
	if !ok {
		return "", fmt.Errorf("%w: %s", power.ErrUnknownSystem, system)
	}
	return state, nil
}

func (r *rack) Reset(_ context.Context, reset power.Reset) error {
	if _, err := r.PowerState(reset.System); err != nil {
		return err
	}
	if r.broken != nil {
		return r.broken
	}
	r.resets = append(r.resets, reset)
	r.states[reset.System] = power.On
	if reset.Type == power.ResetForceOff {
		r.states[reset.System] = power.Off
	}
	return nil
}

func serve(t *testing.T) (*rack, *client) {
	t.Helper()
	r := &rack{states: map[string]power.State{"db1": power.On, "db2": power.On}}
	server := httptest.NewTLSServer(power.BasicAuth("user", "secret", power.Handler(r)))
	t.Cleanup(server.Close)
	return r, &client{t: t, http: server.Client(), url: server.URL, user: "user", password: "secret"}
}

type client struct {
	t                   *testing.T
	http                *http.Client
	url, user, password string
}

// do answers with the status and the JSON object of the answer.
func (c *client) do(method, path, body string) (int, map[string]any) {
	c.t.Helper()
	req, err := http.NewRequest(method, c.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		c.t.Fatal(err)
	}
	req.SetBasicAuth(c.user, c.password)
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := map[string]any{}
	if resp.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			c.t.Fatalf("%s %s: the answer is no JSON object: %v", method, path, err)
		}
	}
	return resp.StatusCode, answer
}

func at(t *testing.T, v any, keys ...string) any {
	t.Helper()
	for _, k := range keys {
		object, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("no %q in %v", k, v)
		}
		v = object[k]
	}
	return v
}

// TestFenceRedfishRoad follows the links that fence_redfish follows: root, systems, members, a system's reset target.
func TestFenceRedfishRoad(t *testing.T) {
	r, c := serve(t)
	_, root := c.do("GET", "/redfish/v1", "")
	_, systems := c.do("GET", at(t, root, "Systems", "@odata.id").(string), "")
	members := at(t, systems, "Members").([]any)
	if len(members) != 2 {
		t.Fatalf("got %d systems, want 2", len(members))
	}
	uri := at(t, members[1], "@odata.id").(string)
	_, system := c.do("GET", uri, "")
	if got := at(t, system, "PowerState"); got != "On" {
		t.Fatalf("PowerState is %v, want On", got)
	}
	target := at(t, system, "Actions", "#ComputerSystem.Reset", "target").(string)
	for _, step := range []struct{ reset, state string }{{"ForceOff", "Off"}, {"On", "On"}, {"ForceOff", "Off"}, {"ForceRestart", "On"}} {
		if status, answer := c.do("POST", target, `{"ResetType": "`+step.reset+`"}`); status != http.StatusNoContent {
			t.Fatalf("%s: status %d, %v", step.reset, status, answer)
		}
		if _, system := c.do("GET", uri, ""); at(t, system, "PowerState") != step.state {
			t.Errorf("after %s PowerState is %v, want %s", step.reset, at(t, system, "PowerState"), step.state)
		}
	}
	if len(r.resets) != 4 || r.resets[0].System != "db2" || r.resets[0].From == "" {
		t.Errorf("the switch was asked for %+v", r.resets)
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		prepare                  func(*rack, *client)
		want                     int
	}{
		{"wrong password", "GET", "/redfish/v1/Systems/db1", "", func(_ *rack, c *client) { c.password = "guess" }, 401},
		{"wrong user", "POST", power.ResetPath("db1"), `{"ResetType":"On"}`, func(_ *rack, c *client) { c.user = "guess" }, 401},
		{"the root is open", "GET", "/redfish/v1/", "", func(_ *rack, c *client) { c.password = "" }, 200},
		{"unknown system", "GET", "/redfish/v1/Systems/db9", "", nil, 404},
		{"reset of an unknown system", "POST", power.ResetPath("db9"), `{"ResetType":"On"}`, nil, 404},
		{"unknown reset type", "POST", power.ResetPath("db1"), `{"ResetType":"Nmi"}`, nil, 400},
		{"no reset type", "POST", power.ResetPath("db1"), `{}`, nil, 400},
		{"no JSON", "POST", power.ResetPath("db1"), `ResetType=On`, nil, 400},
		{"the switch fails", "POST", power.ResetPath("db1"), `{"ResetType":"On"}`,
			func(r *rack, _ *client) { r.broken = context.DeadlineExceeded }, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, c := serve(t)
			if tt.prepare != nil {
				tt.prepare(r, c)
			}
			status, answer := c.do(tt.method, tt.path, tt.body)
			if status != tt.want {
				t.Errorf("status %d, want %d (%v)", status, tt.want, answer)
			}
			if tt.want >= 400 && at(t, answer, "error", "message") == "" {
				t.Error("a refusal without a message")
			}
			if len(r.resets) != 0 {
				t.Errorf("a refused request reached the switch: %+v", r.resets)
			}
		})
	}
}

func TestSelfSigned(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	cert, err := power.SelfSigned(net.IPv4(192, 168, 205, 1), now)
	if err != nil {
		t.Fatal(err)
	}
	if err := cert.Leaf.VerifyHostname("192.168.205.1"); err != nil {
		t.Error(err)
	}
	if now.Before(cert.Leaf.NotBefore) || now.After(cert.Leaf.NotAfter) {
		t.Errorf("not valid now: %v to %v", cert.Leaf.NotBefore, cert.Leaf.NotAfter)
	}
}

func TestResetTypesAreAnnounced(t *testing.T) {
	_, c := serve(t)
	_, system := c.do("GET", "/redfish/v1/Systems/db1/", "")
	announced := at(t, system, "Actions", "#ComputerSystem.Reset", "ResetType@Redfish.AllowableValues").([]any)
	for _, want := range power.ResetTypes() {
		if !slices.Contains(announced, any(string(want))) {
			t.Errorf("%s is accepted but not announced", want)
		}
	}
}
