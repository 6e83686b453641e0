package fault_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/fault"
)

func TestParse(t *testing.T) {
	got, err := fault.Parse(strings.NewReader(`[{"fault": "clock-jump", "description": "d", "expected": "e", "hold": "10s",
		"inject": [{"on": "holder", "script": "date -s +1hour"}, {"on": "other", "verb": "freeze", "pause": "500ms", "along": true}],
		"undo": [{"on": "other", "verb": "thaw"}]}]`))
	want := []fault.Fault{{Name: "clock-jump", Description: "d", Expected: "e", Hold: 10 * time.Second,
		Inject: []fault.Step{{Verb: fault.Script, On: fault.Holder, Script: "date -s +1hour"},
			{Verb: fault.Freeze, On: fault.Other, Pause: 500 * time.Millisecond, Along: true}},
		Undo: []fault.Step{{Verb: fault.Thaw, On: fault.Other}}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	const good = `[{"fault": "f", "inject": [{"on": "holder", "script": "true"}]}]`
	for _, test := range []struct{ old, replacement, says string }{
		{`"f"`, `"no name"`, "small letters"},
		{`"f"`, `"all"`, "small letters"},
		{`"holder"`, `"nobody"`, "step 1"},
		{`"script": "true"`, `"verb": "explode"`, "explode"},
		{`"script": "true"`, `"verb": "freeze", "script": "true"`, "either"},
		{`"true"`, `""`, "either"},
		{`"true"`, `"true", "pause": "soon"`, `"soon"`},
		{`"inject"`, `"undo"`, "injects nothing"},
		{`"f"`, `"f", "hold": "-1s"`, "hold"},
		{`"fault"`, `"name"`, "chaos(8)"},
	} {
		if _, err := fault.Parse(strings.NewReader(strings.Replace(good, test.old, test.replacement, 1))); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want something about %s", test.replacement, err, test.says)
		}
	}
}

// FuzzParse: what is accepted can be bound.
func FuzzParse(f *testing.F) {
	f.Add(`[{"fault": "f", "inject": [{"on": "each", "script": "{node}", "pause": "1s"}], "undo": [{"on": "in turn", "verb": "power-on"}]}]`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := fault.Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, x := range faults {
			if b, err := fault.Bind(x, place(), 0); err != nil || len(b.Inject) == 0 {
				t.Errorf("accepted, but bound to %+v, %v", b, err)
			}
		}
	})
}
