package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// CheckHost tells in one sentence why a lab cannot run on this machine and what would help, or returns nil.
func CheckHost() error {
	if os.Geteuid() != 0 {
		return errors.New("the lab needs root, for it boots machines: run it with sudo")
	}
	packages := map[string]string{
		"mmdebstrap": "mmdebstrap", "systemd-nspawn": "systemd-container", "nsenter": "util-linux", "apt-config": "apt", "mkfs.ext4": "e2fsprogs",
	}
	var missing []string
	for _, program := range []string{"mmdebstrap", "systemd-nspawn", "nsenter", "apt-config", "mkfs.ext4"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, packages[program])
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the lab needs programs that are not installed: apt-get install --yes %s", strings.Join(missing, " "))
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return fmt.Errorf("the lab needs loop devices for the nodes' disks: modprobe loop (in a container, give it /dev): %w", err)
	}
	return nil
}
