// Command IPaddr2 is ocf:holdfast:IPaddr2, the resource agent of a floating address.
package main

import (
	"os"

	"holdfast/ocf"
)

// Set by -ldflags -X: the version by the package build, the place of the program that
// announces by tests.
var (
	version  = "devel"                      //nolint:gochecknoglobals // -X sets variables only
	announce = "/usr/lib/holdfast/announce" //nolint:gochecknoglobals // likewise
)

func main() {
	const notes = "/run/holdfast"
	os.Exit(int(ocf.Main(describe(&agent{
		kernel:   netlinkKernel{},
		announce: program{path: announce, directory: notes},
		notes:    runDirectory{path: notes},
	}))))
}
