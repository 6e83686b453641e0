package chassis

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	loopControl  = "/dev/loop-control"
	loopAttempts = 20         // another program may take the device that the kernel says is free
	fithaw       = 0xc0045878 // FITHAW of linux/fs.h, _IOWR('X', 120, int)
)

// loopName is what a node's disk is called in losetup --list and by LOOP_GET_STATUS64. A path would not do to find it again: the kernel
// tells it as seen in a mount namespace that may be gone.
func loopName(lab, node string) string { return CgroupName(lab) + "/" + node }

// attachLoop makes a block device of the file at path. The kernel takes it away when its last user is gone, so the device must be mounted
// before the returned file is closed.
func attachLoop(path, name string) (*os.File, error) {
	backing, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open the disk's file: %w", err)
	}
	defer backing.Close() // the device keeps it
	control, err := os.OpenFile(loopControl, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open the kernel's loop devices: %w (modprobe loop; a container must be privileged)", err)
	}
	defer control.Close()
	config := unix.LoopConfig{Fd: uint32(backing.Fd())}
	config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
	copy(config.Info.File_name[:len(config.Info.File_name)-1], name)
	for range loopAttempts {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("find a free loop device: %w", err)
		}
		device, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", number), os.O_RDWR, 0)
		if err != nil {
			return nil, fmt.Errorf("open a free loop device: %w", err)
		}
		err = unix.IoctlLoopConfigure(int(device.Fd()), &config)
		if err == nil {
			return device, nil
		}
		device.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("attach %s to %s: %w", path, device.Name(), err)
		}
	}
	return nil, fmt.Errorf("attach %s to a loop device: others took each one that was free", path)
}

// Disks lists the block devices of a lab's disks that are still attached.
func Disks(lab string) ([]string, error) {
	attached, err := filepath.Glob("/sys/block/loop*/loop")
	if err != nil {
		return nil, fmt.Errorf("list the loop devices: %w", err)
	}
	var devices []string
	for _, a := range attached {
		path := "/dev/" + filepath.Base(filepath.Dir(a))
		if strings.HasPrefix(nameOfLoop(path), loopName(lab, "")) {
			devices = append(devices, path)
		}
	}
	return devices, nil
}

// nameOfLoop is the name given to attachLoop, or empty when the device is gone meanwhile.
func nameOfLoop(path string) string {
	device, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer device.Close()
	status, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
	if err != nil {
		return ""
	}
	name, _, _ := bytes.Cut(status.File_name[:], []byte{0})
	return string(name)
}

// thaw lets writes to the file system of an open directory go on; one that is not frozen is no error.
func thaw(dir int) error {
	if err := unix.IoctlSetInt(dir, fithaw, 0); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("thaw a file system: %w", err)
	}
	return nil
}

// ThawDisks thaws the disks of a lab whose chassis was killed: nobody else can, and until then neither the processes that write to them
// nor the disks go away. The disk is mounted once more, without a place, so that there is something to thaw it by.
func ThawDisks(lab string) error {
	devices, err := Disks(lab)
	if err != nil {
		return err
	}
	for _, device := range devices {
		if err := thawDevice(device); err != nil {
			return fmt.Errorf("thaw the disk on %s: %w", device, err)
		}
	}
	return nil
}

func thawDevice(device string) error {
	fs, err := unix.Fsopen(diskType, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("open a mount context: %w", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigSetString(fs, "source", device); err != nil {
		return fmt.Errorf("name the device to mount: %w", err)
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		if nameOfLoop(device) == "" { // gone in the meantime, as it should be
			return nil
		}
		return fmt.Errorf("take hold of the file system: %w", err)
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("mount the file system: %w", err)
	}
	defer unix.Close(mount)
	dir, err := unix.Openat(mount, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the file system: %w", err)
	}
	defer unix.Close(dir)
	return thaw(dir)
}
