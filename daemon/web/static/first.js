var e=["bright","day","dusk","night"],t=null;try{t=JSON.parse(localStorage.getItem("ispsd.palette"))}catch{}document.documentElement.dataset.palette=e.includes(t)?t:"night";
