package sla_test

import (
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/sla"
)

const day = 24 * time.Hour

func TestObjectiveAndItsBudget(t *testing.T) {
	tests := []struct {
		objective, canonical string
		window, budget       time.Duration
	}{
		{"99.95%", "99.95%", 30 * day, 21*time.Minute + 36*time.Second},
		{"99.9%", "99.9%", 30 * day, 43*time.Minute + 12*time.Second},
		{"99.99%", "99.99%", 365 * day, 52*time.Minute + 33*time.Second + 600*time.Millisecond},
		{"99.999000%", "99.999%", 365 * day, 5*time.Minute + 15*time.Second + 360*time.Millisecond},
		{"99.9999999%", "99.9999999%", 3660 * day, 316224 * time.Microsecond},
		{"050%", "50%", time.Minute, 30 * time.Second},
		{"100%", "100%", 30 * day, 0},
	}
	for _, test := range tests {
		o, err := sla.ParseObjective(test.objective)
		if err != nil {
			t.Errorf("%s: %v", test.objective, err)
			continue
		}
		if got := o.Budget(test.window); got != test.budget || o.String() != test.canonical || !o.Given() {
			t.Errorf("%s in %v: budget %v, written %s; want %v, %s", test.objective, test.window, got, o, test.budget, test.canonical)
		}
	}
}

func TestBadObjectivesNameValueAndRemedy(t *testing.T) {
	tests := map[string]string{
		"":                         "no percent sign",
		"99.95":                    "no percent sign",
		"0.9995":                   "no percent sign",
		"%":                        "not a percentage",
		".5%":                      "not a percentage",
		"99.%":                     "not a percentage",
		"-1%":                      "not a percentage",
		"99,95%":                   "not a percentage",
		"1e2%":                     "not a percentage",
		"٩٩%":                      "not a percentage",
		"99.99999999%":             "finer than can be measured",
		"100.0000001%":             "more than everything",
		"99999999999999999999999%": "more than everything",
		"0.05%":                    "below half",
		"0%":                       "below half",
	}
	for value, want := range tests {
		_, err := sla.ParseObjective(value)
		checkRefusal(t, err, value, want, "99.95%")
	}
}

func TestWindow(t *testing.T) {
	tests := []struct {
		window, canonical string
		want              time.Duration
	}{
		{"30d", "30d", 30 * day},
		{"4w", "28d", 28 * day},
		{"12h", "12h", 12 * time.Hour},
		{"1h30m", "1h30m", 90 * time.Minute},
		{"90m", "1h30m", 90 * time.Minute},
		{"1m", "1m", time.Minute},
		{"3660d", "3660d", 3660 * day},
	}
	for _, test := range tests {
		got, err := sla.ParseWindow(test.window)
		if err != nil || got != test.want || sla.FormatWindow(got) != test.canonical {
			t.Errorf("%s: got %v (%s), %v; want %v (%s)", test.window, got, sla.FormatWindow(got), err, test.want, test.canonical)
		}
	}
}

func TestBadWindowsNameValueAndRemedy(t *testing.T) {
	tests := map[string]string{
		"":                      "not a time",
		"30":                    "not a time",
		"d":                     "not a time",
		"1.5d":                  "not a time",
		"-1d":                   "not a time",
		"a month":               "not a time",
		"0d":                    "out of range",
		"59s":                   "out of range",
		"-12h":                  "out of range",
		"3661d":                 "out of range",
		"4294967295w":           "out of range",
		"99999999999999999999w": "not a time",
	}
	for value, want := range tests {
		_, err := sla.ParseWindow(value)
		checkRefusal(t, err, value, want, "like 30d")
	}
}

func checkRefusal(t *testing.T, err error, value, want, remedy string) {
	t.Helper()
	if err == nil {
		t.Errorf("%q was taken", value)
		return
	}
	for _, part := range []string{`"` + value + `"`, want, remedy} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %q does not contain %q", value, err, part)
		}
	}
}

// Whatever is taken is written such that it is taken again, and a budget is
// never more than its window.
func FuzzParseObjective(f *testing.F) {
	for _, seed := range []string{"99.95%", "100%", "050%", "0.05%", "99.9999999%", "%", "1e3%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := sla.ParseObjective(s)
		if err != nil {
			return
		}
		again, err := sla.ParseObjective(o.String())
		if err != nil || again != o {
			t.Errorf("%q is written %s, which is read as %v, %v", s, o, again, err)
		}
		if budget := o.Budget(30 * day); budget < 0 || budget > 15*day {
			t.Errorf("%q: budget %v of 30 days", s, budget)
		}
	})
}

func FuzzParseWindow(f *testing.F) {
	for _, seed := range []string{"30d", "4w", "12h", "1h30m", "4294967295w", "-1d", "1m0.5s", "d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		window, err := sla.ParseWindow(s)
		if err != nil {
			return
		}
		if window < time.Minute || window > 3660*day {
			t.Errorf("%q: %v is out of range", s, window)
		}
		again, err := sla.ParseWindow(sla.FormatWindow(window))
		if err != nil || again != window {
			t.Errorf("%q is written %s, which is read as %v, %v", s, sla.FormatWindow(window), again, err)
		}
	})
}
