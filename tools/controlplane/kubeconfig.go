package controlplane

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfig writes a file of mode 0600 that holds its secrets itself: client-go keeps a
// goroutine for every certificate that it must read from another file.
func writeKubeconfig(path, url string, ca []byte, namespace string, user *api.AuthInfo) error {
	config := api.NewConfig()
	config.Clusters["k8guard"] = &api.Cluster{Server: url, CertificateAuthorityData: ca}
	config.AuthInfos["user"] = user
	config.Contexts["k8guard"] = &api.Context{Cluster: "k8guard", AuthInfo: "user", Namespace: namespace}
	config.CurrentContext = "k8guard"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("write kubeconfig %s: %w", path, err)
	}
	return nil
}
