package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Recipe says what an image is made of. Two recipes with the same content have the same Key.
type Recipe struct {
	Suite    string
	Packages []string
	Hooks    []string // mmdebstrap customize hooks: shell, with the tree's path as $1
}

// revision is raised when images must be rebuilt although the recipe's text did not change.
const revision = 1

// Node is the recipe of a lab node: Debian 12 with the versions the project is written for (Pacemaker 2.1.5, Corosync 3.1.7,
// pcs 0.11.5, MariaDB 10.11, Galera 26.4) and, because recommends are left out, what a minimal Debian 12 would have besides.
func Node() Recipe {
	return Recipe{
		Suite: "bookworm",
		Packages: []string{
			"systemd", "systemd-sysv", "dbus", "libpam-systemd",
			"pacemaker", "pacemaker-cli-utils", "pacemaker-resource-agents", // without -cli-utils "pcs status" finds no crm_mon
			"corosync", "pcs", "crmsh", "resource-agents", "fence-agents",
			"mariadb-server", "mariadb-backup", "galera-4", "rsync",
			"iproute2", "iputils-ping", "nftables", "procps", "less", "openssl", "libxml2-utils", "man-db",
		},
		Hooks: []string{
			// The lab's network is described to networkd, as the network example of the packaging does.
			`chroot "$1" systemctl --quiet enable systemd-networkd.service`,
			// Every real machine has an identity of its own; an image with one would give it to all nodes.
			`: > "$1/etc/machine-id"; rm -f "$1/etc/hostname" "$1/etc/resolv.conf" "$1/var/lib/dbus/machine-id"`,
			`rm -rf "$1"/var/log/journal/* "$1"/var/cache/apt/*.bin`,
		},
	}
}

// Key identifies the image's content, as far as the recipe determines it.
func (r Recipe) Key() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s\n%s\n%s\n", revision, r.Suite, strings.Join(r.Packages, ","), strings.Join(r.Hooks, "\n"))
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// command is the mmdebstrap call that makes the image in dir. sources are files of the host in apt's format; without any, mmdebstrap
// falls back to Debian's own mirrors.
func (r Recipe) command(dir string, sources, aptOptions []string) []string {
	args := []string{"mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory",
		"--include=" + strings.Join(r.Packages, ",")}
	for _, o := range aptOptions {
		args = append(args, "--aptopt="+o)
	}
	for _, h := range r.Hooks {
		args = append(args, "--customize-hook="+h)
	}
	return append(append(args, r.Suite, dir), sources...)
}
