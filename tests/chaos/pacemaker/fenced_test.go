package pacemaker_test

import (
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/pacemaker"
)

func TestFenced(t *testing.T) {
	history := `<fence_history>
    <fence_event status="success" action="reboot" target="db1" completed="2026-11-23 14:52:08Z"/>
    <fence_event status="success" action="reboot" target="db1" completed="2026-11-23 13:00:00Z"/>
    <fence_event status="failed" action="reboot" target="db1" completed="2026-11-23 15:00:00Z"/>
    <fence_event status="success" action="on" target="db2" completed="2026-11-23 14:52:08Z"/>
    <fence_event status="success" action="off" target="db3" completed="2026-11-23 15:52:08.250000 +01:00"/>
    <fence_event status="pending" action="reboot" target="db2"/>
  </fence_history></pacemaker-result>`
	s, err := pacemaker.Parse(strings.Replace(healthy(t), "</pacemaker-result>", history, 1))
	if err != nil {
		t.Fatal(err)
	}
	got := s.Fenced()
	if want := time.Date(2026, 11, 23, 14, 52, 8, 0, time.UTC); !got["db1"].Equal(want) || !got["db3"].Equal(want.Add(250*time.Millisecond)) || len(got) != 2 {
		t.Errorf("got %v", got)
	}
}
