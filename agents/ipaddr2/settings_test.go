package main

import (
	"testing"

	"holdfast/ocf"
)

// FuzzParameters gives every parameter any value, beside an address that is right: the
// settings are what was understood, what was not is named, and nothing but the address
// itself may keep a stop from knowing what to take away.
func FuzzParameters(f *testing.F) {
	table := parameters()
	for i, p := range table {
		f.Add(uint8(i), p.Default)
		f.Add(uint8(i), "-1")
		f.Add(uint8(i), "eth0:a-label-that-is-too-long")
	}
	f.Fuzz(func(t *testing.T, which uint8, value string) {
		p := table[int(which)%len(table)]
		env := map[string]string{"OCF_RESKEY_ip": "192.168.205.70", "OCF_RESKEY_" + p.Name: value}
		getenv := func(name string) string { return env[name] }
		values, problems := ocf.ParseValues(table, getenv)
		s, err := settingsOf(values, ocf.NewMeta(getenv))
		if err != nil && ocf.CodeOf(err) != ocf.ErrConfigured {
			t.Errorf("%s=%q: %v has status %v", p.Name, value, err, ocf.CodeOf(err))
		}
		if p.Name != "ip" && !s.wanted.IP.IsValid() {
			t.Errorf("%s=%q: the address is lost: %v %v", p.Name, value, err, problems)
		}
		if s.wanted.IP.IsValid() && (s.announce.count < 1 || s.announce.interval <= 0) {
			t.Errorf("%s=%q: %d announcements every %v", p.Name, value, s.announce.count, s.announce.interval)
		}
	})
}
