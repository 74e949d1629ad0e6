package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// podToken is where a pod finds the token of its account.
const podToken = "/var/run/secrets/kubernetes.io/serviceaccount/token" //nolint:gosec // a path, no token

// apart refuses one and the same account for discover and for what acts, as far as files tell:
// enforcement would not start with it. Two tokens of one account look different here; the
// preflight asks the API server who each is.
func apart(discover, action string) error {
	if action == "" {
		return nil
	}
	one, err := credentials(discover)
	if err != nil {
		return fmt.Errorf("cluster.kubeconfig: %w", err)
	}
	other, err := credentials(action)
	if err != nil {
		return fmt.Errorf("cluster.actionKubeconfig: %w", err)
	}
	if one != other {
		return nil
	}
	return errors.New("cluster.actionKubeconfig: is the same account as cluster.kubeconfig; " +
		"make one of another: sh deploy/kubeconfig.sh k8guard-action > action.kubeconfig")
}

// credentials is what an API server would know the account of a kubeconfig by.
func credentials(path string) (string, error) {
	user := &api.AuthInfo{TokenFile: podToken}
	if path != "" {
		file, err := (&clientcmd.ClientConfigLoadingRules{ExplicitPath: path}).Load()
		if err != nil {
			return "", err
		}
		context := file.Contexts[file.CurrentContext]
		if context == nil {
			return "", fmt.Errorf("%s: its current-context %q is none of its contexts; name one", path, file.CurrentContext)
		}
		if user = file.AuthInfos[context.AuthInfo]; user == nil {
			user = &api.AuthInfo{}
		}
	}
	// The provider of a plugin is compared by its configuration; nothing is run.
	text, err := json.Marshal([]any{held(user.Token, user.TokenFile), held(string(user.ClientCertificateData), user.ClientCertificate),
		user.Username, user.Password, user.Impersonate, user.ImpersonateGroups, user.AuthProvider, user.Exec})
	return string(text), err
}

// held is the text, or else the content of the file, whichever way it was written; a file
// that cannot be read is told apart by its name.
func held(text, file string) string {
	if text != "" || file == "" {
		return text
	}
	if data, err := os.ReadFile(file); err == nil {
		return string(data)
	}
	return "file " + file
}
