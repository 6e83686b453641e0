package chassis

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

// networkFile is a node's static address, for systemd-networkd. A pulled cable must not cost the node its address, as it costs no
// ordinary server its own, and networkd must leave the floating address alone.
const networkFile = `[Match]
Name=host0

[Network]
Address=%s/%d
DHCP=no
IPv6AcceptRA=no
LinkLocalAddressing=ipv6
ConfigureWithoutCarrier=yes
IgnoreCarrierLoss=yes
KeepConfiguration=yes
`

// provision gives a node what makes it itself, before its first boot. What a package makes for each machine at installation (the
// machine id, Pacemaker's key) was made once in the image and is made anew here. pcsd makes its certificate at its first start.
func provision(root string, nc NodeConfig, config Config) error {
	disk, err := os.OpenRoot(root)
	if err != nil {
		return fmt.Errorf("open the node's root: %w", err)
	}
	defer disk.Close()
	machineID, key := make([]byte, 16), make([]byte, 4096)
	_, _ = rand.Read(machineID) // crypto/rand never fails
	_, _ = rand.Read(key)
	if err := disk.MkdirAll("etc/systemd/network", 0o755); err != nil {
		return fmt.Errorf("provision the node: %w", err)
	}
	files := map[string]string{
		"etc/hostname":                         nc.Name + "\n",
		"etc/hosts":                            hosts(config),
		"etc/machine-id":                       hex.EncodeToString(machineID) + "\n",
		"etc/systemd/network/10-host0.network": fmt.Sprintf(networkFile, nc.Address, config.Switch.Prefix),
		"etc/pacemaker/authkey":                string(key),
	}
	for name, content := range files {
		if err := disk.WriteFile(name, []byte(content), 0o644); err != nil { // keeps the mode of a file that exists
			return fmt.Errorf("provision the node: %w", err)
		}
	}
	return nil
}

func hosts(config Config) string {
	var b strings.Builder
	b.WriteString("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
	for _, n := range config.Nodes {
		fmt.Fprintf(&b, "%s\t%s\n", n.Address, n.Name)
	}
	fmt.Fprintf(&b, "%s\toutside\n", config.Switch.Address)
	return b.String()
}
