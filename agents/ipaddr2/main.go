// Command IPaddr2 is ocf:holdfast:IPaddr2, the resource agent of a floating address.
package main

import (
	"os"

	"holdfast/ocf"
)

// version is set by the package build.
var version = "devel" //nolint:gochecknoglobals // -ldflags -X sets variables only

func main() {
	os.Exit(int(ocf.Main(describe(&agent{
		kernel:   netlinkKernel{},
		announce: packetAnnouncer{},
		notes:    runDirectory{path: "/run/holdfast"},
	}))))
}
