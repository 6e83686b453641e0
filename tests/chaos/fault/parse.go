package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The JSON of faults of one's own, as chaos(8) documents it.
type (
	faultJSON struct {
		Name        string     `json:"fault"`
		Description string     `json:"description"`
		Expected    string     `json:"expected"`
		Hold        string     `json:"hold"`
		UndoFirst   bool       `json:"undo_first"`
		Inject      []stepJSON `json:"inject"`
		Undo        []stepJSON `json:"undo"`
	}
	stepJSON struct {
		Verb   Verb   `json:"verb"`
		On     Role   `json:"on"`
		Script string `json:"script"`
		Pause  string `json:"pause"`
		Along  bool   `json:"along"`
	}
)

// Parse reads faults of one's own. An error names the fault and the remedy.
func Parse(r io.Reader) ([]Fault, error) {
	var all []faultJSON
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil {
		return nil, fmt.Errorf("read faults: %w: give a list of objects as chaos(8) shows it", err)
	}
	var faults []Fault
	for i, j := range all {
		f, err := j.fault()
		if err != nil {
			return nil, fmt.Errorf("fault %d (%q): %w", i+1, j.Name, err)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func (j faultJSON) fault() (Fault, error) {
	f := Fault{Name: j.Name, Description: j.Description, Expected: j.Expected, UndoFirst: j.UndoFirst}
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789-"
	switch {
	case j.Name == "" || j.Name == "all" || strings.HasPrefix(j.Name, "-") || strings.Trim(j.Name, allowed) != "":
		return f, errors.New("give it a name of small letters, digits and hyphens")
	case len(j.Inject) == 0:
		return f, errors.New("it injects nothing: add steps to inject")
	}
	var err error
	if f.Hold, err = duration("hold", j.Hold); err != nil {
		return f, err
	}
	if f.Inject, err = steps(j.Inject); err != nil {
		return f, fmt.Errorf("inject: %w", err)
	}
	if f.Undo, err = steps(j.Undo); err != nil {
		return f, fmt.Errorf("undo: %w", err)
	}
	return f, nil
}

func steps(all []stepJSON) ([]Step, error) {
	var parsed []Step
	for i, j := range all {
		s := Step{Verb: j.Verb, On: j.On, Script: j.Script, Along: j.Along}
		if s.Verb == "" {
			s.Verb = Script
		}
		verbs := []Verb{Script, PowerOff, PowerOn, CableOut, CableIn, Freeze, Thaw, Crash, DiskFull, DiskHold, DiskFree}
		roles := []Role{Holder, Other, Second, Each, InTurn}
		switch {
		case !slices.Contains(verbs, s.Verb):
			return nil, fmt.Errorf("step %d: the verb %q is not known", i+1, s.Verb)
		case !slices.Contains(roles, s.On):
			return nil, fmt.Errorf("step %d: on is %q: give holder, other, second, each or in turn", i+1, s.On)
		case s.Verb == Script == (s.Script == ""):
			return nil, fmt.Errorf("step %d: give either a script or another verb", i+1)
		}
		var err error
		if s.Pause, err = duration("pause", j.Pause); err != nil {
			return nil, fmt.Errorf("step %d: %w", i+1, err)
		}
		parsed = append(parsed, s)
	}
	return parsed, nil
}

func duration(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s is %q: give a duration, like 500ms or 5s", name, text)
	}
	return d, nil
}
