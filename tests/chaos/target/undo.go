package target

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"holdfast/tests/chaos/fault"
)

// Injected is what an undo file holds: a fault that may be there, and how to get
// rid of it.
type Injected struct {
	Fault     string         `json:"fault"`
	Target    string         `json:"target"` // lab or ssh
	Labctl    []string       `json:"labctl,omitempty"`
	Inventory string         `json:"inventory,omitempty"` // absolute path
	Undo      []fault.Action `json:"undo"`
}

// UndoFile is the file of one target; only one fault may be in it at a time.
type UndoFile string

// ErrNothing means that nothing is injected.
var ErrNothing = errors.New("nothing is injected")

// Write writes the file before the fault is injected, through to the disk. It
// fails when there is one already.
func (f UndoFile) Write(i Injected) error {
	content, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the undo file: %w", err)
	}
	file, err := os.OpenFile(string(f), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s says that a fault is still injected: run chaos undo --undo-file %s", f, f)
	}
	if err != nil {
		return fmt.Errorf("write the undo file: %w", err)
	}
	_, err = file.Write(append(content, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close(), syncDir(filepath.Dir(string(f)))); err != nil {
		return errors.Join(fmt.Errorf("write the undo file: %w", err), os.Remove(string(f)))
	}
	return nil
}

// syncDir makes the file's name as durable as its content.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Read returns what is injected, or ErrNothing.
func (f UndoFile) Read() (Injected, error) {
	var i Injected
	content, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return i, ErrNothing
	}
	if err != nil {
		return i, fmt.Errorf("read the undo file: %w", err)
	}
	if err := json.Unmarshal(content, &i); err != nil {
		return i, fmt.Errorf("read the undo file %s: %w", f, err)
	}
	return i, nil
}

// Remove says that everything is undone.
func (f UndoFile) Remove() error {
	if err := os.Remove(string(f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the undo file: %w", err)
	}
	return nil
}
