# Read by install-sh.sh. The hub is a real one, from the same list of packages as the roles'.
npm install --global --silent configurable-http-proxy@4.6.3
hub=/opt/jupyterhub
install -d -o wodadmin -g wodadmin -m 751 $hub
as python3 -m venv $hub
requirements=/root/hub/$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])').txt
as $hub/bin/pip install --quiet --disable-pip-version-check --requirement /dev/stdin < $requirements
as mkdir -p $hub/etc/jupyterhub $hub/lib
cat > $hub/etc/jupyterhub/jupyterhub_config.py << 'X'
c.JupyterHub.port = 8000
c.JupyterHub.services = [{"name": "admintk", "api_token": "public-token-of-the-hub"}]
c.JupyterHub.load_roles = [{"name": "all", "scopes": ["admin:users", "admin:groups", "tokens"], "services": ["admintk"]}]
X
unit jupyterhub "User=root
WorkingDirectory=$hub/lib
Environment=PATH=$hub/bin:/usr/local/bin:/usr/bin:/bin
ExecStart=$hub/bin/jupyterhub -f $hub/etc/jupyterhub/jupyterhub_config.py"
printf '# BEGIN ANSIBLE MANAGED BLOCK\nexport PATH=%s/bin:$PATH\n# END ANSIBLE MANAGED BLOCK\n' $hub >> $home/.profile
systemctl enable --quiet --now jupyterhub

# Mail comes in at another port, and procmail takes it.
sed -i 's/^smtp  *inet .*/10025 inet n - y - - smtpd/' /etc/postfix/master.cf
printf '%s\n' "myhostname = hub-before" 'mailbox_command = /usr/bin/procmail -a "$EXTENSION"' 'append_dot_mydomain = no' >> /etc/postfix/main.cf
as install -m 750 -d $home/.mail
sed "s|{{ WODSCRIPTDIR }}|$home/wod-backend/scripts|" $home/wod-backend/sys/procmailrc.j2 | as tee $home/.procmailrc > /dev/null
chmod 600 $home/.procmailrc
for port in 8000 10025; do ufw allow $port/tcp > /dev/null; done
for name in wod-cleanup-processes.sh wod-check-template; do cat $home/wod-backend/sys/$name.j2 | tool $name; done

# Students, on the machine and in the hub.
install -d -o wodadmin -g wodadmin -m 711 /student
for n in 1 2 3; do
    groupadd --gid $((2000 + n)) student$n
    useradd --uid $((2000 + n)) --gid student$n --home-dir /student/student$n --create-home --comment student$n --shell /bin/bash student$n
    setfacl -R -m u:wodadmin:rwx -m d:u:wodadmin:rwx /student/student$n
done
ask() { curl --silent --fail --output /dev/null -H 'Authorization: token public-token-of-the-hub' "$@"; }
until ask http://127.0.0.1:8000/hub/api/; do sleep 0.3; done
ask -X POST http://127.0.0.1:8000/hub/api/groups/admingroup
for n in 1 2 3; do ask -X POST http://127.0.0.1:8000/hub/api/users/student$n; done
