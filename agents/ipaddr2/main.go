// Command IPaddr2 is ocf:holdfast:IPaddr2, the resource agent of a floating address.
package main

import (
	"os"

	"holdfast/ocf"
)

func main() {
	os.Exit(int(ocf.Main(describe(&agent{
		kernel:   netlinkKernel{},
		announce: packetAnnouncer{},
		burst:    runDirectory{path: "/run/holdfast"},
	}))))
}
